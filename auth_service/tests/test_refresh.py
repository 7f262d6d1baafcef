import json
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.core import serializers
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User

PATH = "/api/auth/refresh/"

pytestmark = pytest.mark.django_db


class TestRefresh:
    def test_gives_a_new_pair_for_the_same_session(self, api, alice):
        before = Session.objects.get()
        answer = api.post(PATH, {"refresh": alice.refresh})
        told = answer.json()
        after = Session.objects.get()
        assert answer.status_code == 200
        assert set(told) == {"access", "refresh"}
        assert told["refresh"] != alice.refresh
        assert api.get("/api/auth/me/", token=told["access"]).json()["id"] == alice.id
        assert (after.pk, after.created_at) == (before.pk, before.created_at)
        assert after.last_used_at > before.last_used_at
        assert answer["Cache-Control"] == "no-store"

    def test_can_go_on(self, api, alice):
        refresh = alice.refresh
        for _ in range(3):
            refresh = api.post(PATH, {"refresh": refresh}).json()["refresh"]
        assert Session.objects.get().ended_at is None

    def test_tells_the_name_as_it_is_now(self, api, alice):
        api.patch("/api/auth/me/", {"display_name": "Alice A."}, token=alice.access)
        access = api.post(PATH, {"refresh": alice.refresh}).json()["access"]
        payload = access.split(".")[1]
        assert _claims(payload)["name"] == "Alice A."

    def test_keeps_the_hash_of_a_refresh_token_only(self, api, alice):
        newest = api.post(PATH, {"refresh": alice.refresh}).json()["refresh"]
        session = Session.objects.get()
        assert bytes(session.refresh_hash) == sha256(newest.encode()).digest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT s::text, u::text FROM accounts_session s, accounts_user u")
            kept = str(cursor.fetchall()) + serializers.serialize("json", [session])
        for token in (alice.refresh, newest):
            secret = token.partition(".")[2]
            assert len(secret) == 43
            assert secret not in kept
            assert secret.encode().hex() not in kept

    def test_ends_the_session_of_a_token_used_twice(self, api, alice, refusal):
        pair = api.post(PATH, {"refresh": alice.refresh}).json()
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        assert Session.objects.get().ended_at is not None
        refusal(api.post(PATH, {"refresh": pair["refresh"]}), 401, "not_authenticated")
        refusal(api.get("/api/auth/me/", token=pair["access"]), 401, "session_revoked")

    def test_leaves_other_sessions_alone(self, api, alice, sign_up):
        other = api.post(
            "/api/auth/login/", {"username": "alice", "password": "correct horse battery"}
        ).json()
        for _ in range(2):
            api.post(PATH, {"refresh": alice.refresh})
        assert api.post(PATH, {"refresh": other["refresh"]}).status_code == 200

    def test_answers_every_failure_alike(self, api, alice, bob, refusal):
        api.post("/api/auth/logout/", token=alice.access)
        User.objects.filter(username="bob").update(is_active=False)
        unknown = f"{uuid4().hex}.{'a' * 43}"
        shown = [alice.refresh, bob.refresh, unknown, alice.access, "x", "a" * 1024]
        bodies = [
            refusal(api.post(PATH, {"refresh": text}), 401, "not_authenticated") for text in shown
        ]
        assert all(body == bodies[0] for body in bodies)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: token + "=",
            lambda token: token.upper(),
            lambda token: token + "é",
            lambda token: token.replace(".", ".."),
            lambda token: token[:-1],
            lambda token: "{" + token + "}",
        ],
    )
    def test_leaves_a_session_alone_for_what_was_never_a_token(self, api, alice, refusal, spoil):
        answer = api.post(PATH, {"refresh": spoil(alice.refresh)})
        refusal(answer, 401, "not_authenticated")
        assert Session.objects.get().ended_at is None
        assert api.post(PATH, {"refresh": alice.refresh}).status_code == 200

    def test_refuses_an_access_token_as_a_refresh_token_and_back(self, api, alice, refusal):
        refusal(api.post(PATH, {"refresh": alice.access}), 401, "not_authenticated")
        refusal(api.get("/api/auth/me/", token=alice.refresh), 401, "not_authenticated")

    @pytest.mark.parametrize(
        ("column", "life"), [("last_used_at", 14), ("created_at", 30)], ids=["unused", "old"]
    )
    def test_refuses_a_session_past_its_life(self, api, alice, refusal, column, life):
        limit = timezone.now() - timedelta(days=life)
        Session.objects.update(**{column: limit - timedelta(seconds=1)})
        before = Session.objects.values().get()
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        assert Session.objects.values().get() == before
        Session.objects.update(**{column: limit + timedelta(seconds=60)})
        assert api.post(PATH, {"refresh": alice.refresh}).status_code == 200

    @pytest.mark.parametrize("body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": 5}])
    def test_refuses_a_malformed_request(self, api, alice, refusal, body):
        told = refusal(api.post(PATH, body), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["refresh"]
        assert Session.objects.get().ended_at is None


@pytest.mark.django_db(transaction=True)
class TestRefreshAtOnce:
    def test_has_one_successor(self, api, alice, together):
        answers = together(50, lambda _: api.post(PATH, {"refresh": alice.refresh}))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [401] * 49
        assert {a.json()["code"] for a in answers if a.status_code == 401} == {"not_authenticated"}
        assert Session.objects.get().ended_at is not None


def _claims(payload: str) -> dict[str, object]:
    from base64 import urlsafe_b64decode

    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
