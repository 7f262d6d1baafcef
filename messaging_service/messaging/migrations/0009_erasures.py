from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0008_contacts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "user_id",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("sweeps", models.SmallIntegerField(db_default=0, default=0)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "erasures",
                "indexes": [
                    models.Index(
                        condition=Q(("done_at__isnull", True)),
                        fields=["due_at"],
                        name="erasure_due",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="profile",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
    ]
