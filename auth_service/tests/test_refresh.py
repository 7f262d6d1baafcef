import json
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.core import serializers
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.models import Event, Session, User
from accounts.tokens import RefreshToken, read_refresh_token, successor_of

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
        """Rule 5."""
        newest = api.post(PATH, {"refresh": alice.refresh}).json()["refresh"]
        session = Session.objects.get()
        assert bytes(session.refresh_hash) == sha256(newest.encode()).digest()
        kept = _everything_stored() + serializers.serialize("json", [session])
        assert sha256(newest.encode()).hexdigest() in kept
        for token in (alice.refresh, newest):
            secret = token.partition(".")[2]
            assert len(secret) == 43
            assert secret not in kept
            assert secret.encode().hex() not in kept

    def test_gives_the_same_successor_again_for_a_lost_answer(self, api, alice):
        """Rule 6: a repeat within 10 s of the exchange changes nothing."""
        first = api.post(PATH, {"refresh": alice.refresh}).json()
        before = Session.objects.values().get()
        repeated = api.post(PATH, {"refresh": alice.refresh}).json()
        assert repeated["refresh"] == first["refresh"]
        assert Session.objects.values().get() == before
        assert api.get("/api/auth/me/", token=repeated["access"]).status_code == 200
        assert api.post(PATH, {"refresh": repeated["refresh"]}).status_code == 200

    def test_repeats_for_ten_seconds_and_no_longer(self, api, alice, refusal):
        """Rule 6: at the limit, and past it."""
        pair = api.post(PATH, {"refresh": alice.refresh}).json()
        _long_ago(seconds=8)
        assert api.post(PATH, {"refresh": alice.refresh}).json()["refresh"] == pair["refresh"]
        _long_ago(seconds=10.1)
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        assert Session.objects.get().ended_at is not None

    def test_ends_the_session_of_a_token_used_twice(self, api, alice, refusal):
        """Rule 6: a replay ends the family, its newest token too, and the owner can hear of it."""
        pair = api.post(PATH, {"refresh": alice.refresh}).json()
        _long_ago(seconds=11)
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        refusal(api.post(PATH, {"refresh": pair["refresh"]}), 401, "not_authenticated")
        refusal(api.get("/api/auth/me/", token=pair["access"]), 401, "session_revoked")
        told = Event.objects.get()
        assert told.data["sids"] == [str(Session.objects.get().pk)]
        assert (told.type, told.data["reason"]) == ("sessions.ended", "replay")

    def test_takes_a_used_successor_as_proof_that_the_answer_arrived(self, api, alice, refusal):
        """Rule 6: then the token before it is a copy, however soon it is shown."""
        second = api.post(PATH, {"refresh": alice.refresh}).json()["refresh"]
        third = api.post(PATH, {"refresh": second}).json()["refresh"]
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        refusal(api.post(PATH, {"refresh": third}), 401, "not_authenticated")

    def test_ends_the_session_of_a_token_that_was_never_given(self, api, alice, refusal):
        forged = alice.refresh[:-43] + "a" * 43
        refusal(api.post(PATH, {"refresh": forged}), 401, "not_authenticated")
        assert Session.objects.get().ended_at is not None

    def test_has_successors_that_cannot_be_foretold(self, api, alice):
        """Rule 5: neither from a copy of the database nor with yesterday's salt."""
        session_id = Session.objects.get().pk
        shown = RefreshToken(session_id, alice.refresh)
        with override_settings(SECRET_KEY="another" * 8):
            elsewhere = successor_of(shown, b"s" * 16)
        assert successor_of(shown, b"s" * 16) == successor_of(shown, b"s" * 16)
        others = {elsewhere.text, successor_of(shown, b"t" * 16).text}
        assert successor_of(shown, b"s" * 16).text not in others
        assert read_refresh_token(elsewhere.text) == elsewhere

    def test_notes_where_it_was_used_from(self, api, alice):
        body = {"refresh": alice.refresh}
        api.send("POST", PATH, body, **{"X-Real-IP": "2001:db8::1", "User-Agent": "other"})
        session = Session.objects.get()
        assert (session.address, session.device) == ("2001:db8::1", "")

    def test_leaves_other_sessions_alone(self, api, alice, sign_up):
        other = api.post(
            "/api/auth/login/", {"username": "alice", "password": "correct horse battery"}
        ).json()
        api.post(PATH, {"refresh": alice.refresh})
        _long_ago(seconds=11)
        assert api.post(PATH, {"refresh": alice.refresh}).status_code == 401
        assert api.post(PATH, {"refresh": other["refresh"]}).status_code == 200

    def test_answers_every_failure_alike(self, api, alice, bob, sign_up, refusal):
        """Rule 7: unknown, ended, deactivated and erased are one answer."""
        carol = sign_up("carol")
        User.objects.filter(username="carol").delete()
        api.post("/api/auth/logout/", token=alice.access)
        User.objects.filter(username="bob").update(is_active=False)
        unknown = f"{uuid4().hex}.{'a' * 43}"
        shown = [alice.refresh, bob.refresh, carol.refresh, unknown, alice.access, "x", "a" * 1024]
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
        """Rule 4: at the limit, and past it; a refused session stays as it is."""
        limit = timezone.now() - timedelta(days=life)
        Session.objects.update(**{column: limit - timedelta(seconds=1)})
        before = Session.objects.values().get()
        refusal(api.post(PATH, {"refresh": alice.refresh}), 401, "not_authenticated")
        assert Session.objects.values().get() == before
        Session.objects.update(**{column: limit + timedelta(seconds=60)})
        assert api.post(PATH, {"refresh": alice.refresh}).status_code == 200

    def test_never_puts_off_the_end(self, api, alice, refusal):
        """Rule 4: refreshing extends what is unused, never the whole."""
        refresh = alice.refresh
        begun = timezone.now()
        for days in (10, 20, 29.9):
            Session.objects.update(
                created_at=begun - timedelta(days=days), last_used_at=begun - timedelta(days=1)
            )
            refresh = api.post(PATH, {"refresh": refresh}).json()["refresh"]
        Session.objects.update(created_at=begun - timedelta(days=30, seconds=1))
        refusal(api.post(PATH, {"refresh": refresh}), 401, "not_authenticated")

    @pytest.mark.parametrize("body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": 5}])
    def test_refuses_a_malformed_request(self, api, alice, refusal, body):
        told = refusal(api.post(PATH, body), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["refresh"]
        assert Session.objects.get().ended_at is None


def _everything_stored() -> str:
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - our own names
            rows += cursor.fetchall()
    return str(rows)


def _long_ago(*, seconds: float) -> None:
    """Let every session have been used last so long ago."""
    Session.objects.update(last_used_at=timezone.now() - timedelta(seconds=seconds))


def _claims(payload: str) -> dict[str, object]:
    from base64 import urlsafe_b64decode

    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
