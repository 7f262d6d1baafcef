from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    contract = "The version before reads as much without it, a room's members one after the other."
    atomic = False
    dependencies = [
        ("messaging", "0010_members_by_change"),
    ]

    operations = [
        RemoveIndexConcurrently(model_name="member", name="member_by_pos"),
    ]
