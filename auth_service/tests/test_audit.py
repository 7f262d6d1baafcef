"""What whoever guards the system can find out later, and nobody can unwrite."""

import json
from contextlib import suppress

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.actions.closing import deactivate, reactivate
from accounts.models import SecurityEvent, Session, User

PASSWORD = "correct horse battery"
SECRETS = (PASSWORD, "wrong password", "another horse battery")

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(alice):
    """Read what was recorded since alice signed up, or since the last time."""
    seen = SecurityEvent.objects.filter(event="account.registered").latest("pk").pk

    def read():
        nonlocal seen
        rows = list(SecurityEvent.objects.filter(pk__gt=seen).order_by("pk"))
        seen = rows[-1].pk if rows else seen
        return rows

    return read


@pytest.fixture
def told(django_capture_on_commit_callbacks, caplog):
    """Do something, and read the security lines it logged."""

    def run(act):
        caplog.clear()
        with django_capture_on_commit_callbacks(execute=True):
            answer = act()
        records = [r for r in caplog.records if r.name == "service_kit.security"]
        return answer, [(r.event, r.user_id, r.reason) for r in records]

    return run


class TestEachEvent:
    def test_of_an_account_s_life_is_kept_and_told_once(self, api, alice, events, told):
        registered = SecurityEvent.objects.get(user_id=alice.id)
        assert (registered.event, registered.address) == ("account.registered", "127.0.0.1")
        name = {"username": "alice"}

        def expect(act, *expected):
            _, lines = told(act)
            assert lines == [(event, alice.id, reason) for event, reason in expected]
            assert [(row.event, row.reason) for row in events()] == list(expected)

        login = "/api/auth/login/"
        expect(
            lambda: api.post(login, name | {"password": "wrong password"}),
            ("login.failed", "password"),
        )
        expect(lambda: api.post(login, name | {"password": PASSWORD}), ("login.succeeded", ""))
        change = {"current_password": PASSWORD, "new_password": "another horse battery"}
        expect(
            lambda: api.post("/api/auth/password/change/", change, token=alice.access),
            ("password.changed", ""),
            ("session.ended", "password_changed"),
        )
        expect(
            lambda: api.post("/api/auth/logout/", token=alice.access), ("session.ended", "logout")
        )
        expect(lambda: deactivate(user_id=int(alice.id)), ("account.deactivated", ""))
        expect(
            lambda: api.post(login, name | {"password": "another horse battery"}),
            ("login.failed", "inactive"),
        )
        expect(lambda: reactivate(user_id=int(alice.id)), ("account.reactivated", ""))

    def test_names_who_where_and_which_request(self, api, alice, events):
        headers = {"X-Request-ID": "a-request", "X-Real-Ip": "192.0.2.7"}
        body = {"username": "alice", "password": PASSWORD}
        api.send("POST", "/api/auth/login/", body, **headers)
        (row,) = events()
        newest = Session.objects.order_by("created_at").last()
        assert (row.session_id, str(row.user_id)) == (newest.pk, alice.id)
        assert (row.address, row.request_id) == ("192.0.2.7", "a-request")

    def test_of_a_replay_is_kept_although_it_is_refused(self, api, alice, events, told):
        first = {"refresh": alice.refresh}
        second = api.post("/api/auth/refresh/", first).json()
        api.post("/api/auth/refresh/", {"refresh": second["refresh"]})
        answer, lines = told(lambda: api.post("/api/auth/refresh/", first))
        assert answer.status_code == 401
        expected = [("refresh.replayed", ""), ("session.ended", "replay")]
        assert [(row.event, row.reason) for row in events()] == expected
        kept = [(event, alice.id, reason) for event, reason in expected]
        assert set(lines) == {*kept, ("credential.refused", None, "not_authenticated")}

    def test_of_a_stranger_names_nobody(self, api, alice, events):
        api.post("/api/auth/login/", {"username": "nobody", "password": "wrong password"})
        (row,) = events()
        assert (row.event, row.user_id, row.reason) == ("login.failed", None, "unknown")

    def test_holds_no_secret(self, api, alice, caplog):
        api.post("/api/auth/login/", {"username": "alice", "password": "wrong password"})
        answer = api.post("/api/auth/login/", {"username": "alice", "password": PASSWORD}).json()
        secrets = (*SECRETS, answer["access"], answer["refresh"], alice.access, alice.refresh)
        lines = json.dumps([record.__dict__ for record in caplog.records], default=str)
        kept = str(list(SecurityEvent.objects.values()))
        assert [secret for secret in secrets if secret in kept + lines] == []

    def test_is_not_kept_if_it_did_not_happen(self, alice, events):
        with suppress(RuntimeError), transaction.atomic():
            deactivate(user_id=int(alice.id))
            raise RuntimeError
        assert events() == []
        assert User.objects.get(pk=alice.id).is_active


class TestTheTable:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE accounts_securityevent SET reason = 'none'",
            "DELETE FROM accounts_securityevent",
            "TRUNCATE accounts_securityevent",
        ],
    )
    def test_refuses_every_change(self, alice, statement):
        before = list(SecurityEvent.objects.values())
        refused = pytest.raises(DatabaseError, match="only ever added")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert list(SecurityEvent.objects.values()) == before

    def test_outlives_the_account(self, alice):
        User.objects.filter(pk=alice.id).delete()
        assert SecurityEvent.objects.filter(user_id=alice.id).exists()
