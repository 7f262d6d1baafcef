import time
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, User
from accounts.passwords import Argon2Hasher

PATH = "/api/auth/login/"
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


class TestLogin:
    @pytest.mark.parametrize(
        "name",
        [
            {"username": "alice"},
            {"username": "ALICE"},
            {"email": "alice@example.com"},
            {"email": "Alice@EXAMPLE.com"},
            {"username": "alice@example.com"},
            {"username": "", "email": "alice@example.com"},
        ],
    )
    def test_takes_a_username_or_an_address_in_any_case(self, api, alice, name):
        answer = api.post(PATH, name | {"password": PASSWORD})
        told = answer.json()
        assert answer.status_code == 200
        assert set(told) == {"user", "access", "refresh"}
        assert told["user"]["id"] == alice.id
        assert answer["Cache-Control"] == "no-store"

    def test_opens_a_session_of_its_own(self, api, alice):
        refresh = api.post(PATH, {"username": "alice", "password": PASSWORD}).json()["refresh"]
        assert refresh != alice.refresh
        assert Session.objects.count() == 2

    def test_answers_every_failure_alike(self, api, alice, bob, refusal):
        User.objects.filter(username="bob").update(is_active=False)
        User.objects.filter(username="alice").update(password="!unusable")
        attempts = [
            {"username": "bob", "password": "wrong password"},
            {"username": "bob", "password": PASSWORD},
            {"username": "alice", "password": PASSWORD},
            {"username": "nobody", "password": PASSWORD},
            {"email": "nobody@example.com", "password": PASSWORD},
            {"username": "é", "password": PASSWORD},
            {"email": "alice", "password": "x"},
        ]
        bodies = [refusal(api.post(PATH, tried), 401, "not_authenticated") for tried in attempts]
        assert all(body == bodies[0] for body in bodies)
        assert Session.objects.count() == 2

    @pytest.mark.parametrize("password", ["Correct horse battery", PASSWORD + " ", "wrong"])
    def test_refuses_another_password(self, api, alice, refusal, password):
        answer = api.post(PATH, {"username": "alice", "password": password})
        refusal(answer, 401, "not_authenticated")
        assert answer["WWW-Authenticate"] == "Bearer"
        assert Session.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"password": PASSWORD}, "username"),
            ({"username": "alice", "email": "a@example.com", "password": PASSWORD}, "username"),
            ({"username": "alice"}, "password"),
            ({"username": "alice", "password": ""}, "password"),
            ({"username": "alice", "password": "x" * 129}, "password"),
            ({"username": "alice", "password": 5}, "password"),
            ({"username": 1, "password": PASSWORD}, "username"),
            ({"username": "a" * 255, "password": PASSWORD}, "username"),
        ],
    )
    def test_refuses_a_malformed_request(self, api, alice, refusal, body, field):
        told = refusal(api.post(PATH, body), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]
        assert Session.objects.count() == 1

    def test_strengthens_an_old_hash(self, api, alice):
        class Weaker(Argon2Hasher):
            time_cost = 2

        weak = Weaker().encode(PASSWORD, "")
        User.objects.update(password=weak)
        assert api.post(PATH, {"username": "alice", "password": PASSWORD}).status_code == 200
        assert "t=5" in User.objects.get().password
        assert api.post(PATH, {"username": "alice", "password": PASSWORD}).status_code == 200

    def test_leaves_a_good_hash_alone(self, api, alice):
        before = User.objects.get().password
        api.post(PATH, {"username": "alice", "password": PASSWORD})
        assert User.objects.get().password == before

    def test_works_as_hard_for_a_stranger(self, api, alice, bob):
        def duration(username: str) -> float:
            began = time.perf_counter()
            api.post(PATH, {"username": username, "password": "wrong password"})
            return time.perf_counter() - began

        User.objects.filter(username="bob").update(is_active=False)
        rounds = [[duration(name) for name in ("alice", "nobody", "bob")] for _ in range(9)]
        known, unknown, inactive = (median(times) for times in zip(*rounds, strict=True))
        assert 0.6 < unknown / known < 1.6
        assert 0.6 < inactive / known < 1.6

    def test_asks_as_much_for_every_failure(self, api, alice, bob, monkeypatch):
        def asked(username: str) -> list[str]:
            with CaptureQueriesContext(connection) as queries:
                api.post(PATH, {"username": username, "password": "wrong password"})
            return [query["sql"].split("ARRAY")[0].split("'")[0] for query in queries]

        monkeypatch.setattr("accounts.actions.attempts.TIDYING", 0)
        User.objects.filter(username="bob").update(is_active=False)
        # Who it is, that he tries, and the security event.
        assert len(asked("alice")) == 3
        assert asked("alice") == asked("nobody") == asked("bob")

    def test_takes_three_queries(self, api, alice, django_assert_num_queries, monkeypatch):
        # Who it is; that he tries; and, in one, that he was right, that this still holds, the new
        # session, and its security event.
        monkeypatch.setattr("accounts.actions.attempts.TIDYING", 0)
        with django_assert_num_queries(3):
            api.post(PATH, {"username": "alice", "password": PASSWORD})
