from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0004_presence"),
    ]

    operations = [
        migrations.AddField(
            model_name="presence",
            name="number",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="presence",
            index=models.Index(
                condition=Q(("status_expires_at__isnull", False)),
                fields=["status_expires_at"],
                name="presence_expiring",
            ),
        ),
    ]
