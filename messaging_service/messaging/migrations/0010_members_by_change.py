from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("messaging", "0009_erasures"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="member",
            index=models.Index(
                condition=models.Q(("pos__gt", 0)),
                fields=["room", "pos"],
                name="member_by_change",
            ),
        ),
    ]
