from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0006_ended_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="is_findable",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="profile",
            name="last_seen_to",
            field=models.CharField(
                choices=[
                    ("everyone", "Everyone"),
                    ("contacts", "Contacts"),
                    ("nobody", "Nobody"),
                ],
                db_default="everyone",
                default="everyone",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="profile",
            name="read_receipts",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
