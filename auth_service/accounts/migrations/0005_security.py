from django.db import migrations, models
from django.db.models.functions import Now

APPEND_ONLY = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'security events are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER security_event_is_kept BEFORE UPDATE OR DELETE ON accounts_securityevent
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER security_events_are_kept BEFORE TRUNCATE ON accounts_securityevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""
CHANGEABLE = """
DROP TRIGGER security_event_is_kept ON accounts_securityevent;
DROP TRIGGER security_events_are_kept ON accounts_securityevent;
DROP FUNCTION accounts_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_stored_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='is_staff',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name='SecurityEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(db_default=Now(), editable=False)),
                ('event', models.CharField(max_length=32)),
                ('user_id', models.BigIntegerField(null=True)),
                ('session_id', models.UUIDField(null=True)),
                ('address', models.GenericIPAddressField(null=True)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('request_id', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['user_id', 'id'], name='security_event_by_user'),
                    models.Index(fields=['address', 'id'], name='security_event_by_address'),
                    models.Index(fields=['event', 'id'], name='security_event_by_event'),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.CreateModel(
            name='Attempts',
            fields=[
                ('key', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('used_until', models.DateTimeField(db_index=True)),
                ('span', models.DurationField()),
            ],
        ),
        # Each wrong password writes here: no waiting for the disk, and nothing worth keeping.
        migrations.RunSQL(
            "ALTER TABLE accounts_attempts SET UNLOGGED", "ALTER TABLE accounts_attempts SET LOGGED"
        ),
    ]
