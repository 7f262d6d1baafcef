"""`manage.py doctor` of this service: its keys and what they seal, mails, folders, messaging."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.actions.keys import rotate_signing_keys
from accounts.keys.files import root_key
from accounts.keys.sealing import seal_second_factor
from accounts.management.commands import doctor as checks
from accounts.models import Mail, SecondFactor, StoredKey, User
from auth_service.tests.conftest import Person
from auth_service.tests.mail_server import Inbox
from auth_service.tests.servers import start_messaging_service
from local.ports import LOOPBACK
from local.secrets import ensure_private_key
from local.services import Service

Look = Callable[..., tuple[str, bool]]


@pytest.fixture(scope="module")
def messaging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run the real messaging_service; gives its port."""
    with start_messaging_service(tmp_path_factory.mktemp("messaging")) as port:
        yield port


@pytest.fixture
def look(settings: Any, db: None, key: Path, messaging: int) -> Look:
    """Say what is printed with these settings, and whether all is well."""
    well = {
        "POSTGRES_MANAGED": True,
        "LEAVING_SECONDS": 5.0,
        "JWT_PRIVATE_KEY_FILE": str(key),
        "MESSAGING_API_URL": f"http://{LOOPBACK}:{messaging}",
        "ALLOWED_ORIGINS": frozenset({"https://chat.example.org"}),
        "PUBLIC_URL": "https://chat.example.org",
    }

    def run(**changed: object) -> tuple[str, bool]:
        printed = StringIO()
        for name, value in (well | changed).items():
            setattr(settings, name, value)
        try:
            call_command("doctor", stdout=printed)
        except SystemExit:
            return printed.getvalue(), False
        return printed.getvalue(), True

    return run


@pytest.fixture
def trouble(look: Look) -> Callable[..., tuple[str, str]]:
    """Give the one thing that is wrong with these settings, and what to do about it."""

    def run(name: str, **changed: object) -> tuple[str, str]:
        printed, is_well = look(**changed)
        assert not is_well
        assert printed.count("FAIL") == 1, printed
        found = printed.partition(f"FAIL  {name:<11} ")[2]
        what, remedy = found.split("\n")[:2]
        return what, remedy.removeprefix("      → ")

    return run


@pytest.fixture
def doctor(db: None, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run it as an operator does, with these settings: its exit code, and what it prints."""

    def run(**changed: str) -> tuple[int, str]:
        own = {"DB_NAME": connection.settings_dict["NAME"], "POSTGRES_MANAGED": "true"}
        service = Service(
            name="auth_service", logs=tmp_path, scratch=tmp_path, environment=own | changed
        )
        process = service.manage("doctor")
        process.start()
        return process.child.wait(30), process.log.read_text()

    return run


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> Path:
    """Return a copy of the key that the tests sign with, for its owner alone."""
    file = tmp_path / "key.pem"
    file.write_bytes(Path(settings.JWT_PRIVATE_KEY_FILE).read_bytes())
    file.chmod(0o600)
    return file


@pytest.fixture
def protected(alice: Person) -> SecondFactor:
    """Let somebody have a second factor."""
    User.objects.filter(pk=alice.id).update(mfa_enabled_at=timezone.now())
    sealed = seal_second_factor(b"a secret", user_id=int(alice.id))
    return SecondFactor.objects.create(user_id=alice.id, sealed=sealed)


def test_is_content_where_all_is_well(look):
    printed, is_well = look()
    assert is_well, printed
    looked_at = [line.split()[1] for line in printed.splitlines()]
    assert looked_at[-len(checks.Command.checks) :] == list(checks.Command.checks)


class TestKeys:
    @pytest.mark.parametrize("content", [None, "", "-----BEGIN PUBLIC KEY-----"])
    def test_that_are_missing_hide_nothing_else(self, doctor, tmp_path, content):
        file = tmp_path / "no.pem"
        if content is not None:
            file.write_text(content)
        code, printed = doctor(JWT_PRIVATE_KEY_FILE=str(file), REDIS_URL="foo://bar")
        assert code == 1
        assert f"FAIL  keys        JWT_PRIVATE_KEY_FILE {file}: " in printed
        assert f"`openssl genpkey -algorithm ed25519 -out {file}`" in printed
        assert "FAIL  sealed      Without the root key nothing" in printed
        assert "FAIL  redis       REDIS_URL is not the address of a Redis." in printed
        assert "ok    migrations" in printed
        assert "Traceback" not in printed

    def test_that_everybody_may_read(self, look, trouble, key):
        key.chmod(0o640)
        assert look()[1]
        key.chmod(0o644)
        assert trouble("keys")[1] == f"Run `chmod o-rwx {key}`."


class TestWhatIsSealed:
    def test_opens(self, look, protected):
        rotate_signing_keys()
        printed, is_well = look()
        assert is_well, printed
        assert "ok    sealed      2 signing keys and 1 second factors can be opened" in printed

    def test_was_sealed_for_somebody_else(self, trouble, protected, bob):
        User.objects.filter(pk=bob.id).update(mfa_enabled_at=timezone.now())
        SecondFactor.objects.create(user_id=bob.id, sealed=protected.sealed)
        what, remedy = trouble("sealed")
        assert what == "1 of 2 second factors cannot be opened."
        assert "Put the root key back" in remedy
        assert "reset_mfa" in remedy

    def test_is_not_asked_for_before_it_is_enabled(self, look, protected):
        SecondFactor.objects.update(sealed=b"")
        assert not look()[1]
        User.objects.update(mfa_enabled_at=None)
        assert look()[1]

    def test_is_a_signing_key_that_was_changed(self, trouble):
        rotate_signing_keys()
        StoredKey.objects.filter(state=StoredKey.NEXT).update(sealed=b"x" * 60)
        what, remedy = trouble("sealed")
        assert what == "1 of 2 signing keys cannot be opened."
        assert "the root key signs" in remedy

    def test_is_under_a_root_key_that_is_lost(self, trouble, protected, key):
        """Nobody uses its signing keys any more, but second factors are asked for."""
        rotate_signing_keys()
        key.unlink()
        ensure_private_key(key)
        root_key.cache_clear()
        try:
            what, _ = trouble("sealed")
        finally:
            root_key.cache_clear()
        assert what == "1 of 1 second factors cannot be opened."


class TestMails:
    def test_go_or_do_not(self, look, trouble, inbox: Inbox, settings):
        printed, is_well = look(SENDS_MAIL=True)
        assert is_well, printed
        assert "ok    mail        there is a way" in printed
        settings.EMAIL_PORT = 9
        what, remedy = trouble("mail")
        assert what == "No mail can be sent: ConnectionRefusedError."
        assert "EMAIL_HOST" in remedy
        assert look(SENDS_MAIL=False)[1]

    def test_lead_to_pages_that_may_be_used(self, look, trouble, inbox: Inbox):
        origins = frozenset({"https://app.example.org"})
        what, remedy = trouble("links", ALLOWED_ORIGINS=origins)
        assert "PUBLIC_URL is none of ALLOWED_ORIGINS" in what
        assert "allow that origin" in remedy
        assert look(SENDS_MAIL=False, ALLOWED_ORIGINS=origins)[1]

    @pytest.mark.parametrize("minutes", [14, 16])
    def test_wait_for_a_quarter_of_an_hour_at_most(self, look, trouble, minutes):
        Mail.objects.create(kind="reset", address="a@example.com")
        since = timezone.now() - timedelta(minutes=minutes)
        Mail.objects.create(kind="reset", address="b@example.com", created_at=since)
        told = f"2 mails wait, the oldest for {minutes} min"
        if minutes < 15:
            assert f"ok    waiting     {told}" in look()[0]
        else:
            what, remedy = trouble("waiting")
            assert what == f"{told}."
            assert "`no mail can be sent`" in remedy


class TestFolders:
    def test_that_is_made_with_the_first_picture(self, look, tmp_path):
        printed, is_well = look(MEDIA_ROOT=str(tmp_path / "not" / "yet"))
        assert is_well
        assert f"ok    pictures    {tmp_path} can be written to" in printed

    def test_that_cannot_be_made(self, trouble, key):
        what, remedy = trouble("pictures", MEDIA_ROOT=str(key / "media"))
        assert what.startswith("Nothing can be written: [Errno 20] Not a directory")
        assert "MEDIA_ROOT" in remedy

    def test_without_room(self, look, tmp_path, monkeypatch):
        monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 2**60)
        printed, is_well = look(MEDIA_ROOT=str(tmp_path))
        assert not is_well
        assert f"FAIL  pictures    {tmp_path} has " in printed
        assert f"FAIL  exports     {gettempdir()} has " in printed
        assert "→ Have /tmp, or what TMPDIR names, on a disk with room" in printed


class TestMessaging:
    def test_is_away(self, trouble):
        what, remedy = trouble("messaging", MESSAGING_API_URL="http://127.0.0.1:9")
        assert what.endswith("answers at MESSAGING_API_URL: ConnectionRefusedError.")
        assert "Start the other service" in remedy

    def test_is_asked_by_a_name_it_does_not_know(self, trouble, messaging):
        what, remedy = trouble("messaging", MESSAGING_API_URL=f"http://127.1:{messaging}")
        assert what == "Who answers at MESSAGING_API_URL says 400."
        assert "ALLOWED_HOSTS" in remedy
