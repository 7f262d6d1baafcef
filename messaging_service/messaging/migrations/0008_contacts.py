import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0007_privacy"),
    ]

    operations = [
        migrations.CreateModel(
            name="Block",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("is_lifted", models.BooleanField(default=False)),
                ("pos", models.BigIntegerField(default=0)),
                (
                    "blocked",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="messaging.profile",
                    ),
                ),
                (
                    "blocker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="messaging.profile",
                    ),
                ),
            ],
            options={
                "db_table": "blocks",
                "indexes": [
                    models.Index(fields=["blocker", "pos"], name="block_by_pos"),
                    models.Index(
                        django.db.models.functions.comparison.Least("blocker_id", "blocked_id"),
                        django.db.models.functions.comparison.Greatest("blocker_id", "blocked_id"),
                        condition=models.Q(("is_lifted", False)),
                        name="block_between",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("blocker", "blocked"), name="one_block_per_person"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("blocker", models.F("blocked")), _negated=True),
                        name="block_is_of_somebody_else",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("removed", "Removed"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("requester_pos", models.BigIntegerField(default=0)),
                ("addressee_pos", models.BigIntegerField(default=0)),
                (
                    "addressee",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="messaging.profile",
                    ),
                ),
                (
                    "requester",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="messaging.profile",
                    ),
                ),
            ],
            options={
                "db_table": "contacts",
                "indexes": [
                    models.Index(
                        fields=["requester", "requester_pos"], name="contact_by_requester"
                    ),
                    models.Index(
                        fields=["addressee", "addressee_pos"], name="contact_by_addressee"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Least("requester_id", "addressee_id"),
                        django.db.models.functions.comparison.Greatest(
                            "requester_id", "addressee_id"
                        ),
                        name="one_contact_per_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requester", models.F("addressee")), _negated=True),
                        name="contact_is_somebody_else",
                    ),
                ],
            },
        ),
    ]
