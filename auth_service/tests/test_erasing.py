"""Whoever erases an account is gone from the database, and only he."""

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ForeignKey
from django.utils import timezone

from accounts.actions.leaving import erasing
from accounts.actions.leaving.personal import PERSONAL
from accounts.models import (
    Event,
    LoginChallenge,
    Mail,
    MailCode,
    RecoveryCode,
    SecondFactor,
    SecurityEvent,
    Session,
    User,
)

PASSWORD = "correct horse battery"
ME = "/api/auth/me/"
CANARIES = ("canary-name", "Canary Display", "canary@example.com", "canary-bio", "203.0.113.77")
TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def canary(api, sign_up, media):
    """Somebody of whom there is something in every place that holds something of somebody."""
    person = sign_up("canary-name", email="canary@example.com", display_name="Canary Display")
    headers = {"X-Real-Ip": "203.0.113.77", "User-Agent": "canary-name's telephone"}
    login = {"username": "canary-name", "password": PASSWORD}
    told = api.send("POST", "/api/auth/login/", login, **headers).json()
    person.access, person.refresh = told["access"], told["refresh"]
    api.send("POST", "/api/auth/login/", login | {"password": "wrong password"}, **headers)
    api.patch(ME, {"bio": "canary-bio"}, token=person.access)
    person.picture = f"{person.id}/{'0' * 32}.webp"
    User.objects.filter(pk=person.id).update(avatar=person.picture)
    for name in (person.picture, f"{person.id}/left-behind.webp", f"{person.id}0/another's.webp"):
        default_storage.save(f"avatars/{name}", ContentFile(b"x"))
    user, soon = User.objects.get(pk=person.id), timezone.now() + timedelta(hours=1)
    for address in ("canary@example.com", "Canary@Example.COM"):
        Mail.objects.create(kind="reset", address=address, caller="203.0.113.77")
    hashes = {"code_hash": b"1", "token_hash": b"1"}
    MailCode.objects.create(user=user, purpose="reset", expires_at=soon, **hashes)
    SecondFactor.objects.create(user=user, sealed=b"1")
    RecoveryCode.objects.create(user=user, code_hash=b"1")
    LoginChallenge.objects.create(
        challenge_hash=b"1", user=user, auth_hash="1", in_cookies=False, expires_at=soon
    )
    return person


def traces():
    """Which canary stands in which table, and in how many rows."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")  # noqa: S608 - a name of Postgres' own
            rows = [row.lower() for (row,) in cursor.fetchall()]
            for canary in CANARIES:
                if number := sum(canary.lower() in row for row in rows):
                    found[table, canary] = number
    return found


def erase(api, person, password=PASSWORD):
    return api.send("DELETE", ME, {"password": password}, token=person.access)


def state():
    models = (User, Session, Mail, MailCode, SecondFactor, RecoveryCode, LoginChallenge, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]


class TestErasing:
    def test_leaves_nothing_of_a_person(self, api, canary, bob):
        everybody_else = User.objects.exclude(pk=canary.id)
        others = [list(everybody_else.values()), Session.objects.exclude(user=canary.id).count()]
        before = traces()
        assert {canary for _, canary in before} == set(CANARIES)
        tables = {table for table, _ in before}
        expected = {"accounts_user", "accounts_session", "accounts_mail", "accounts_securityevent"}
        assert tables == expected
        answer = erase(api, canary)
        assert (answer.status_code, answer.content) == (204, b"")
        # The last mail knows where to go until it has gone.
        assert {table for table, _ in traces()} == {"accounts_mail"}
        Mail.objects.get(kind="account.erased", address="canary@example.com").delete()
        assert traces() == {}
        for model in (MailCode, SecondFactor, RecoveryCode, LoginChallenge):
            assert not model.objects.filter(user=canary.id).exists()
        now = [list(everybody_else.values()), Session.objects.exclude(user=canary.id).count()]
        assert now == others

    def test_leaves_no_picture(self, api, canary, media):
        erase(api, canary)
        assert [file.name for file in media.rglob("*.webp")] == ["another's.webp"]
        assert not (media / "avatars" / canary.id).exists()

    def test_is_not_done_while_a_picture_stays(self, api, canary, media, refusal):
        before, hindrance = state(), media / "avatars" / canary.id / "hindrance"
        hindrance.mkdir()
        refusal(erase(api, canary), 503, "unavailable")
        assert state() == before
        hindrance.rmdir()
        assert erase(api, canary).status_code == 204

    def test_ends_every_session_then_tells_it(self, api, canary):
        live = {str(sid) for sid in Session.objects.values_list("pk", flat=True)}
        newest = Event.objects.count()
        erase(api, canary)
        ended, erased = Event.objects.filter(pk__gt=newest).order_by("pk")
        assert (ended.type, erased.type) == ("sessions.ended", "user.erased")
        assert (set(ended.data["sids"]), ended.data["reason"]) == (live, "erased")
        assert erased.data == {"user_id": canary.id}

    def test_lets_nothing_of_before_in(self, api, canary, refusal):
        erase(api, canary)
        refusal(api.get(ME, token=canary.access), 401, "session_revoked")
        refusal(erase(api, canary), 401, "session_revoked")
        shown = {"refresh": canary.refresh}
        refusal(api.post("/api/auth/refresh/", shown), 401, "not_authenticated")
        login = {"username": "canary-name", "password": PASSWORD}
        refusal(api.post("/api/auth/login/", login), 401, "not_authenticated")

    def test_refuses_who_was_erased_between_refresh_and_use(self, api, canary, refusal):
        shown = {"refresh": canary.refresh}
        renewed = api.post("/api/auth/refresh/", shown).json()
        erase(api, canary)
        refusal(api.get(ME, token=renewed["access"]), 401, "session_revoked")
        for refresh in (shown, {"refresh": renewed["refresh"]}):
            refusal(api.post("/api/auth/refresh/", refresh), 401, "not_authenticated")

    def test_gives_the_names_back_but_not_the_number(self, api, canary, sign_up):
        erase(api, canary)
        new = sign_up("Canary-Name", email="canary@example.com")
        assert int(new.id) > int(canary.id)

    def test_shows_nobody_to_anybody(self, api, canary, bob, settings, refusal):
        erase(api, canary)
        refusal(api.get(f"/api/auth/users/{canary.id}/", token=bob.access), 404, "not_found")
        found = api.get("/api/auth/users/?search=canary", token=bob.access).json()
        known = api.get(f"/internal/users/?ids={canary.id}", token=settings.INTERNAL_SECRET)
        assert (found["results"], known.json()["results"]) == ([], [])

    def test_takes_the_cookies_back(self, api, canary):
        login = {"username": "canary-name", "password": PASSWORD, "session": True}
        api.post("/api/auth/login/", login)
        token = api.client.cookies["csrftoken"].value
        answer = api.send("DELETE", ME, {"password": PASSWORD}, **{"X-CSRFToken": token})
        assert answer.status_code == 204
        assert {cookie.value for cookie in answer.cookies.values()} == {""}


class TestTheConfirmation:
    @pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": 1}, [], None])
    def test_is_needed(self, api, canary, refusal, body):
        before = state()
        refusal(api.send("DELETE", ME, body, token=canary.access), 400, "invalid")
        assert state() == before

    def test_refuses_another_password_and_changes_nothing(self, api, canary, refusal):
        before = state()
        problem = refusal(erase(api, canary, "wrong password"), 400, "invalid")
        assert problem["errors"][0]["field"] == "password"
        assert state() == before

    def test_counts_wrong_ones_as_logging_in_does(self, api, canary, refusal, settings):
        settings.LIMITS = settings.LIMITS | {"LOGINS_PER_MINUTE": 2}
        before = state()
        login = {"username": "canary-name", "password": "wrong password"}
        refusal(api.post("/api/auth/login/", login), 401, "not_authenticated")
        refusal(erase(api, canary, "wrong password"), 400, "invalid")
        refusal(erase(api, canary), 429, "rate_limited")
        assert state() == before


class TestSecurityEvents:
    """They stay, and so does everybody else's address."""

    FORGET = "UPDATE accounts_securityevent SET address = NULL WHERE user_id = %s"

    def test_stay_without_an_address(self, api, canary):
        mine = SecurityEvent.objects.filter(user_id=canary.id)
        before = list(mine.order_by("pk").values_list("pk", "event", "at", "request_id"))
        erase(api, canary)
        after = list(mine.order_by("pk").values_list("pk", "event", "at", "request_id"))
        assert after[: len(before)] == before
        assert after[len(before) :][0][1] == "account.erased"
        assert not mine.exclude(address=None).exists()
        assert SecurityEvent.objects.filter(user_id=None).exclude(address=None).count() == 0

    def test_go_in_statements_of_so_many(self, api, canary, monkeypatch):
        monkeypatch.setattr(erasing, "ADDRESSES_AT_ONCE", 2)
        for _ in range(3):
            SecurityEvent.objects.create(event="x", user_id=canary.id, address="203.0.113.77")
        erase(api, canary)
        mine = SecurityEvent.objects.filter(user_id=canary.id)
        assert not mine.exclude(address=None).exists()

    @pytest.mark.parametrize(
        ("erased", "statement"),
        [
            (False, FORGET),
            (True, "UPDATE accounts_securityevent SET address = '192.0.2.1' WHERE user_id = %s"),
            (True, "UPDATE accounts_securityevent SET reason = 'x' WHERE user_id = %s"),
            (
                True,
                "UPDATE accounts_securityevent SET address = NULL, at = now() WHERE user_id = %s",
            ),
            (True, "UPDATE accounts_securityevent SET user_id = NULL WHERE user_id = %s"),
            (True, "DELETE FROM accounts_securityevent WHERE user_id = %s"),
        ],
    )
    def test_refuse_every_other_change(self, api, canary, erased, statement):
        if erased:
            erase(api, canary)
        before = list(SecurityEvent.objects.order_by("pk").values())
        refused = pytest.raises(DatabaseError, match="only ever added")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [canary.id])
        assert list(SecurityEvent.objects.order_by("pk").values()) == before

    def test_come_without_an_address_once_there_is_no_account(self, api, canary):
        erase(api, canary)
        late = SecurityEvent.objects.create(
            event="login.failed", user_id=canary.id, address="203.0.113.77"
        )
        late.refresh_from_db()
        assert late.address is None


class TestTheCommand:
    def run(self, *words):
        said = StringIO()
        call_command("erase", *words, stdout=said)
        return said.getvalue()

    def test_erases_as_the_owner_could(self, canary):
        assert self.run("CANARY-name") == "canary-name is erased.\n"
        Mail.objects.all().delete()
        assert traces() == {}

    def test_takes_a_number_for_whoever_came_back_from_a_backup(self, canary):
        assert self.run(canary.id) == "canary-name is erased.\n"

    @pytest.mark.parametrize("name", ["nobody", "0", "99999999999999999999"])
    def test_refuses_whom_nobody_knows(self, canary, name):
        with pytest.raises(CommandError, match="no such account"):
            self.run(name)
        assert User.objects.count() == 1


class TestTheListOfWhatIsPersonal:
    def test_has_every_column_that_names_somebody(self):
        listed = {(personal.model, personal.person) for personal in PERSONAL}
        named = {
            (model, field.name)
            for model in apps.get_models()
            for field in model._meta.concrete_fields
            if (isinstance(field, ForeignKey) and field.related_model is User)
            or field.name in {"user_id", "username", "email"}
        }
        # Its owner's name is in the row of an account, or of a mail that names him by number too.
        names = {(User, "username"), (User, "email"), (Mail, "username")}
        assert named - listed - names == set()
        assert (User, "id") in listed
