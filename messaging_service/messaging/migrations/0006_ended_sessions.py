from django.db import migrations, models
from django.db.models import Q


def begin(apps, schema_editor):
    apps.get_model("messaging", "AuthFeed").objects.create()


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0005_presence_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuthFeed",
            fields=[
                (
                    "singleton",
                    models.BooleanField(default=True, primary_key=True, serialize=False),
                ),
                ("cursor", models.BigIntegerField(default=0)),
                ("mark", models.CharField(default="", max_length=64)),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "auth_feed",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("singleton", True)), name="auth_feed_is_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EndedSession",
            fields=[
                (
                    "session_id",
                    models.CharField(max_length=255, primary_key=True, serialize=False),
                ),
                ("user_id", models.CharField(max_length=64)),
                ("until", models.DateTimeField()),
                ("number", models.BigIntegerField()),
            ],
            options={
                "db_table": "ended_sessions",
                "indexes": [models.Index(fields=["number"], name="ended_session_by_number")],
            },
        ),
        migrations.AddField(
            model_name="profile",
            name="named_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
