"""`manage.py doctor` of this service: the key that signs."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from local.services import Service

WELL = {"POSTGRES_MANAGED": True, "LEAVING_SECONDS": 5.0}


@pytest.fixture
def look(settings, db):
    """Say what is printed with these settings, and whether all is well."""

    def run(**changed):
        printed = StringIO()
        for name, value in (WELL | changed).items():
            setattr(settings, name, value)
        try:
            call_command("doctor", stdout=printed)
        except SystemExit:
            return printed.getvalue(), False
        return printed.getvalue(), True

    return run


@pytest.fixture
def doctor(db, tmp_path):
    """Run it as an operator does, with these settings: its exit code, and what it prints."""

    def run(**changed):
        own = {"DB_NAME": connection.settings_dict["NAME"], "POSTGRES_MANAGED": "true"}
        service = Service(
            name="auth_service", logs=tmp_path, scratch=tmp_path, environment=own | changed
        )
        process = service.manage("doctor")
        process.start()
        return process.child.wait(30), process.log.read_text()

    return run


@pytest.fixture
def key(settings, tmp_path):
    """Return a copy of the key that the tests sign with, for its owner alone."""
    file = tmp_path / "key.pem"
    file.write_bytes(Path(settings.JWT_PRIVATE_KEY_FILE).read_bytes())
    file.chmod(0o600)
    return file


def test_is_content_where_all_is_well(look, key):
    printed, is_well = look(JWT_PRIVATE_KEY_FILE=str(key))
    assert is_well, printed
    assert "ok    keys" in printed


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PUBLIC KEY-----"])
def test_finds_no_key_and_whatever_else_is_missing(doctor, tmp_path, content):
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_text(content)
    code, printed = doctor(JWT_PRIVATE_KEY_FILE=str(file), REDIS_URL="foo://bar")
    assert code == 1
    assert f"FAIL  keys        JWT_PRIVATE_KEY_FILE {file}: " in printed
    assert f"`openssl genpkey -algorithm ed25519 -out {file}`" in printed
    assert "FAIL  redis       REDIS_URL is not the address of a Redis." in printed
    assert "ok    migrations" in printed
    assert "Traceback" not in printed


def test_finds_a_key_that_everybody_may_read(look, key):
    key.chmod(0o640)
    assert look(JWT_PRIVATE_KEY_FILE=str(key))[1]
    key.chmod(0o644)
    printed, is_well = look(JWT_PRIVATE_KEY_FILE=str(key))
    assert not is_well
    assert f"→ Run `chmod o-rwx {key}`" in printed


def test_looks_whether_mails_can_go(look, key, inbox, settings):
    well = {"JWT_PRIVATE_KEY_FILE": str(key), "SENDS_MAIL": True}
    printed, is_well = look(**well)
    assert is_well, printed
    assert "ok    mail" in printed
    settings.EMAIL_PORT = 9
    printed, is_well = look(**well)
    assert not is_well
    assert "FAIL  mail        No mail can be sent: ConnectionRefusedError" in printed
    assert look(**well | {"SENDS_MAIL": False})[1]
