import socket
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import bell
from accounts.actions.events import tell_sessions_ended, tell_user_changed
from accounts.actions.sessions import end_session
from accounts.models import Event, Session, User
from service_kit.redis_client import connect

PATH = "/internal/events/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def pull(api, settings):
    def ask(after=0):
        answer = api.get(f"{PATH}?after={after}", token=settings.INTERNAL_SECRET)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


def write(number):
    for _ in range(number):
        tell_user_changed(user_id=1)


class TestEvents:
    def test_tell_a_logout(self, api, alice, pull):
        sid = str(Session.objects.get().pk)
        api.post("/api/auth/logout/", token=alice.access)
        told = pull()
        [event] = told["events"]
        until = parse_datetime(event["data"].pop("until"))
        assert (event["id"], event["type"], told["more"]) == (1, "sessions.ended", False)
        assert event["data"] == {"user_id": alice.id, "sids": [sid], "reason": "logout"}
        life = until - Session.objects.get().ended_at
        assert life == timedelta(seconds=300 + 60)
        assert abs(parse_datetime(event["at"]) - timezone.now()) < timedelta(seconds=5)

    def test_tell_a_logout_once(self, api, alice, pull):
        for _ in range(2):
            api.post("/api/auth/logout/", token=alice.access)
        end_session(session_id=str(uuid4()))
        end_session(session_id="x")
        assert len(pull()["events"]) == 1

    def test_tell_a_profile_as_it_is_now(self, api, alice, pull):
        for name in ("Alice A.", "Alice B."):
            api.patch("/api/auth/me/", {"display_name": name}, token=alice.access)
        told = {
            "user_id": alice.id,
            "username": "alice",
            "display_name": "Alice B.",
            "avatar": None,
            "active": True,
            "privacy": {"find_me": "everyone", "last_seen": "everyone", "read_receipts": True},
        }
        assert [event["data"] for event in pull()["events"]] == [told, told]
        User.objects.all().delete()
        assert pull()["events"][0]["data"] == told | {
            "username": "",
            "display_name": "",
            "active": False,
            "privacy": {"find_me": "nobody", "last_seen": "nobody", "read_receipts": False},
        }

    @pytest.mark.parametrize(
        ("change", "number"),
        [
            ({"display_name": "Al"}, 1),
            ({"privacy": {"find_me": "nobody"}}, 1),
            ({"privacy": {"last_seen": "nobody"}}, 1),
            ({"privacy": {"read_receipts": False}}, 1),
            ({"bio": "x", "time_zone": "Europe/Berlin", "locale": "de"}, 0),
            ({"privacy": {}}, 0),
        ],
    )
    def test_tell_what_the_other_service_shows_or_keeps_to(self, api, alice, pull, change, number):
        assert api.patch("/api/auth/me/", change, token=alice.access).status_code == 200
        assert len(pull()["events"]) == number

    def test_keep_no_name(self, api, alice):
        api.patch("/api/auth/me/", {"display_name": "canary"}, token=alice.access)
        assert "canary" not in str(Event.objects.values().get())

    def test_come_in_pages_of_500(self, pull):
        write(501)
        first, second = pull(), pull(500)
        assert [event["id"] for event in first["events"]] == list(range(1, 501))
        assert [event["id"] for event in second["events"]] == [501]
        assert (first["more"], second["more"]) == (True, False)
        assert pull(1)["more"] is False
        assert pull(501) == {"events": [], "more": False}

    def test_name_100_sessions_each(self, pull):
        sids = [uuid4() for _ in range(101)]
        tell_sessions_ended(user_id=1, session_ids=sids, at=timezone.now(), reason="x")
        assert [len(event["data"]["sids"]) for event in pull()["events"]] == [100, 1]

    def test_cost_two_queries(self, pull, django_assert_num_queries):
        write(3)
        with django_assert_num_queries(2):
            pull()

    def test_give_their_number_back_with_the_transaction(self, pull):
        write(1)
        with transaction.atomic():
            write(2)
            transaction.set_rollback(True)
        write(1)
        assert [event["id"] for event in pull()["events"]] == [1, 2]

    def test_are_numbered_on_when_old_ones_are_gone(self, pull):
        write(2)
        Event.objects.all().delete()
        write(1)
        assert [event["id"] for event in pull()["events"]] == [3]

    @pytest.mark.parametrize("ask", ["", "?after=", "?after=x", "?after=-1", f"?after={2**63}"])
    def test_refuse_a_malformed_question(self, api, settings, refusal, ask):
        refusal(api.get(PATH + ask, token=settings.INTERNAL_SECRET), 400, "invalid")

    def test_are_for_the_other_service_alone(self, api, alice, settings, refusal):
        for token in (None, alice.access, settings.INTERNAL_SECRET + "x"):
            refusal(api.get(f"{PATH}?after=0", token=token), 401, "not_authenticated")


class TestBell:
    @pytest.fixture(autouse=True)
    def new_bell(self):
        bell._bell.cache_clear()

    def test_rings_after_commit(self, api, alice, django_capture_on_commit_callbacks):
        with connect().pubsub(ignore_subscribe_messages=True) as listener:
            listener.subscribe(bell.CHANNEL)
            listener.get_message(timeout=1)
            with django_capture_on_commit_callbacks(execute=True):
                api.post("/api/auth/logout/", token=alice.access)
                assert listener.get_message(timeout=0.1) is None
            assert listener.get_message(timeout=5)["data"] == b"1"

    def test_delays_nobody_while_redis_is_silent(self, settings, caplog):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            began = time.monotonic()
            for number in range(1000):
                bell.ring(number)
            assert time.monotonic() - began < bell.TIMEOUT_SECONDS
            bell._bell()._thread.shutdown()
        assert [record.message for record in caplog.records] == [
            "the bell did not ring: TimeoutError"
        ]

    def test_is_not_needed(self, settings):
        settings.REDIS_URL = ""
        bell.ring(1)
        assert bell._bell.cache_info().currsize == 0
