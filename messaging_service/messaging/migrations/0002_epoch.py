"""The one row of the epoch."""

from django.db import migrations


def begin(apps, schema_editor):
    apps.get_model("messaging", "Epoch").objects.create()


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
