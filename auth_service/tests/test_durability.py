"""What is on the disk before anybody is told of it, and what is not waited for."""

import pytest

from auth_service.tests.servers import DATABASE, PASSWORD, start_servers

# Remembers for each row how much its transaction waited for the disk, when that ended.
WATCH = f"""
-- The Postgres of the tests waits for nothing by itself.
ALTER DATABASE {DATABASE} SET synchronous_commit = on;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid();
CREATE TABLE ends (what text, waits text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ends VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ends AFTER INSERT OR UPDATE ON accounts_attempts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
CREATE CONSTRAINT TRIGGER ends AFTER INSERT OR UPDATE ON accounts_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
"""  # noqa: S608 - made of constants alone.


@pytest.fixture
def servers(tmp_path):
    with start_servers(tmp_path, number=1) as running:
        yield running


def test_a_session_is_waited_for_and_a_try_is_not(servers):
    servers.sign_up("alice")
    with servers.link() as link, link.cursor() as cursor:
        cursor.execute(WATCH)
        link.commit()
        answer = servers.ask(
            "POST", "/api/auth/login/", {"username": "alice", "password": PASSWORD}
        )
        assert answer.status == 200
        shown = {"refresh": answer.body["refresh"]}
        assert servers.ask("POST", "/api/auth/refresh/", shown).status == 200
        cursor.execute("SELECT DISTINCT what, waits FROM ends ORDER BY what")
        assert cursor.fetchall() == [("accounts_attempts", "off"), ("accounts_session", "on")]
