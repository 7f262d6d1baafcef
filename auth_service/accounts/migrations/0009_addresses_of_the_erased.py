from django.db import migrations

# Rows stay, and say what happened to which account when. The address is personal and goes with the
# account: it may be taken out, never changed, and only where there is no such account any more.
FORGETTABLE = """
CREATE OR REPLACE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.address IS NULL AND OLD.user_id IS NOT NULL
            AND to_jsonb(NEW) - 'address' = to_jsonb(OLD) - 'address'
            AND NOT EXISTS (SELECT FROM accounts_user WHERE id = OLD.user_id)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'security events are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
"""
KEPT = """
CREATE OR REPLACE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'security events are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
"""
# What is under way while an account is erased comes without an address, or is there to lose it.
UNADDRESSED = """
CREATE FUNCTION accounts_leave_out_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM accounts_user WHERE id = NEW.user_id FOR KEY SHARE;
    IF NOT FOUND THEN
        NEW.address := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER security_event_of_nobody BEFORE INSERT ON accounts_securityevent
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND NEW.address IS NOT NULL)
    EXECUTE FUNCTION accounts_leave_out_address();
"""
ADDRESSED = """
DROP TRIGGER security_event_of_nobody ON accounts_securityevent;
DROP FUNCTION accounts_leave_out_address();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_mfa'),
    ]

    operations = [
        migrations.RunSQL(FORGETTABLE, KEPT),
        migrations.RunSQL(UNADDRESSED, ADDRESSED),
    ]
