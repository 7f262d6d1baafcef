"""What auth_service tells is applied once and whole, and what it ended is refused."""

import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import DatabaseError, connection
from redis import Redis

from messaging.actions.sessions import ended_sessions
from messaging.actions.sessions.bell import Bell
from messaging.actions.sessions.ended import FRESH_SECONDS, EndedSessions
from messaging.actions.sessions.following import Follower
from messaging.actions.sessions.pulling import forget_ended, pull
from messaging.events import PEOPLE_CHANNEL
from messaging.models import AuthFeed as Heard
from messaging.models import EndedSession, Profile
from messaging_service.tests.auth_feed import AuthFeed, as_page, auth_feed
from messaging_service.tests.telling import told_on
from service_kit.refusals import Refusal
from service_kit.testing import token_for
from service_kit.tokens import verify

AT = "2026-01-29T10:30:00.123456Z"
ENDED = {"user_id": "1", "sids": ["garbage"], "until": AT}
CHANGED = {"user_id": "1", "username": "x", "display_name": "", "avatar": None, "active": True}

EVERYTHING = {"find_me": "everyone", "last_seen": "everyone", "read_receipts": True}


@pytest.fixture
def feed(settings: Any) -> Iterator[AuthFeed]:
    with auth_feed() as feed:
        settings.AUTH_API_URL = feed.url
        Heard.objects.update(cursor=0, mark="")
        yield feed


def session_of(person: Any) -> str:
    return f"session-{person.id}"


def heard() -> tuple[int, int, int]:
    (row,) = Heard.objects.values_list("cursor", "number", "mark")
    return row[0], row[1], EndedSession.objects.count()


def apply() -> None:
    pull()
    ended_sessions().look()


class TestAnEndedSession:
    """Rule 18."""

    def test_is_refused_over_http(self, feed: AuthFeed, api: Any, refusal: Any, alice: Any) -> None:
        assert api.get("rooms/", token=alice.token).status_code == 200
        feed.end(alice.id, session_of(alice))
        apply()
        answer = api.get("rooms/", token=alice.token)
        refusal(answer, 401, "session_revoked")
        assert answer["WWW-Authenticate"] == "Bearer"
        refusal(api.post("ws-ticket/", token=alice.token), 401, "session_revoked")

    def test_is_no_other_session_of_that_person(
        self, feed: AuthFeed, api: Any, alice: Any, bob: Any
    ) -> None:
        feed.end(alice.id, "another one")
        apply()
        for person in (alice, bob):
            assert api.get("rooms/", token=person.token).status_code == 200

    def test_is_refused_whatever_its_tokens_look_like(
        self, feed: AuthFeed, api: Any, refusal: Any, alice: Any
    ) -> None:
        feed.end(alice.id, session_of(alice))
        apply()
        for token in (token_for(alice.id), token_for(alice.id, expires_in=3_000)):
            refusal(api.get("rooms/", token=token), 401, "session_revoked")

    def test_may_be_one_of_many_on_several_pages(self, feed: AuthFeed, alice: Any) -> None:
        feed.page = 2
        sessions = [f"{number} of {alice.id}" for number in range(9)]
        for start in range(0, 9, 3):
            feed.end(alice.id, *sessions[start : start + 3])
        feed.end(alice.id, sessions[0])
        apply()
        assert all(session in ended_sessions() for session in sessions)

    def test_is_known_to_a_new_process_before_it_serves(self, feed: AuthFeed, alice: Any) -> None:
        feed.end(alice.id, session_of(alice))
        pull()
        fresh = EndedSessions()
        assert not fresh.is_fresh
        fresh.look_if_stale()
        with pytest.raises(Refusal, match="session_revoked"):
            fresh.refuse(verify(alice.token))

    def test_is_looked_for_by_a_process_that_stood_still(
        self, feed: AuthFeed, api: Any, refusal: Any, alice: Any
    ) -> None:
        ended_sessions().look()
        feed.end(alice.id, session_of(alice))
        pull()
        assert api.get("rooms/", token=alice.token).status_code == 200
        ended_sessions()._known_at -= FRESH_SECONDS
        refusal(api.get("rooms/", token=alice.token), 401, "session_revoked")

    def test_is_looked_for_in_no_database_by_any_other(
        self, api: Any, alice: Any, django_assert_num_queries: Any
    ) -> None:
        api.post("ws-ticket/", token=alice.token)
        ended_sessions().look()
        with django_assert_num_queries(0):
            assert api.post("ws-ticket/", token=alice.token).status_code == 200

    def test_may_have_as_long_a_name_as_can_be_kept(self, feed: AuthFeed, alice: Any) -> None:
        longest = alice.id.rjust(255, "x")
        feed.end(alice.id, longest)
        apply()
        assert longest in ended_sessions()

    def test_is_told_when_it_is_new(self, feed: AuthFeed, alice: Any) -> None:
        known, told = EndedSessions(), []
        known.look()
        known.told = lambda: told.append(session_of(alice) in known)
        known.look()
        assert told == []
        feed.end(alice.id, session_of(alice))
        pull()
        known.look()
        assert told == [True]

    def test_is_forgotten_when_no_token_can_be_valid(self, feed: AuthFeed, alice: Any) -> None:
        feed.end(alice.id, "long ago", seconds=-61)
        feed.end(alice.id, "not so long ago", seconds=-59)
        pull()
        forget_ended(seconds=60)
        kept = EndedSession.objects.filter(user_id=alice.id).values_list("session_id", flat=True)
        assert [*kept] == ["not so long ago"]

    def test_is_what_the_database_says_also_when_it_went_back(
        self, feed: AuthFeed, alice: Any
    ) -> None:
        feed.end(alice.id, session_of(alice))
        pull()
        known = EndedSessions()
        known.look()
        EndedSession.objects.filter(session_id=session_of(alice)).delete()
        before = Heard.objects.get().number
        Heard.objects.update(number=before - 1)
        known.look()
        Heard.objects.update(number=before)
        assert session_of(alice) not in known


class TestAPerson:
    def test_is_shown_as_he_is_now(
        self, feed: AuthFeed, open_room: Any, alice: Any, bob: Any
    ) -> None:
        open_room(alice, bob)
        feed.change(alice, username="alicia", display_name="Al", avatar="https://x.example/a.png")
        shown = {"username": "alicia", "display_name": "Al", "avatar": "https://x.example/a.png"}
        told = told_on(PEOPLE_CHANNEL, pull)
        changed = [each for _, each in told if each.get("user_id") == alice.id]
        assert changed == [{"type": "user.changed", "user_id": alice.id, **shown}]
        assert Profile.objects.values(*shown).get(pk=alice.id) == shown

    def test_is_not_told_of_twice(
        self, feed: AuthFeed, open_room: Any, alice: Any, bob: Any
    ) -> None:
        open_room(alice, bob)
        for _ in range(2):
            feed.change(alice, username="alicia")
            pull()
        told = told_on(PEOPLE_CHANNEL, pull)
        assert [each for _, each in told if each.get("user_id") == alice.id] == []

    def test_is_not_renamed_by_an_older_token(self, feed: AuthFeed, api: Any, alice: Any) -> None:
        # Tokens are dated in whole seconds.
        old = token_for(alice.id, username="older", iat=int(time.time()) - 1)
        feed.change(alice, username="alicia", display_name="Al")
        pull()
        assert api.get("rooms/", token=old).status_code == 200
        assert Profile.objects.get(pk=alice.id).username == "alicia"
        newer = token_for(alice.id, username="newer", iat=int(time.time()) + 2)
        assert api.get("rooms/", token=newer).status_code == 200
        assert Profile.objects.get(pk=alice.id).username == "newer"

    def test_is_not_renamed_by_an_older_event(self, feed: AuthFeed, api: Any, alice: Any) -> None:
        feed.change(alice, username="older", avatar="https://x.example/a.png")
        newer = token_for(alice.id, username="newer", iat=int(time.time()) + 2)
        assert api.get("rooms/", token=newer).status_code == 200
        pull()
        profile = Profile.objects.get(pk=alice.id)
        assert (profile.username, profile.avatar) == ("newer", "https://x.example/a.png")

    def test_is_refused_while_he_is_deactivated(
        self, feed: AuthFeed, api: Any, refusal: Any, alice: Any
    ) -> None:
        assert api.get("rooms/", token=alice.token).status_code == 200
        feed.change(alice, active=False)
        feed.end(alice.id, session_of(alice))
        apply()
        # Of a session auth_service forgot to end.
        other = token_for(alice.id, username=alice.username, session_id="other")
        for token in (alice.token, other):
            refusal(api.get("rooms/", token=token), 401, "session_revoked")
        feed.change(alice, active=True)
        apply()
        assert api.get("rooms/", token=other).status_code == 200

    def test_that_nobody_here_knows_is_not_kept(self, feed: AuthFeed, make_person: Any) -> None:
        stranger = make_person(known=False)
        feed.change(stranger)
        pull()
        assert not Profile.objects.filter(pk=stranger.id).exists()

    @pytest.mark.parametrize(
        ("switch", "value", "column", "kept"),
        [
            ("find_me", "nobody", "is_findable", False),
            ("last_seen", "contacts", "last_seen_to", "contacts"),
            ("last_seen", "nobody", "last_seen_to", "nobody"),
            ("last_seen", "of a later version", "last_seen_to", "nobody"),
            ("find_me", "of a later version", "is_findable", False),
            ("read_receipts", False, "read_receipts", False),
        ],
    )
    @pytest.mark.parametrize("known", [True, False])
    def test_is_known_to_keep_to_himself_what_he_does(
        self,
        feed: AuthFeed,
        api: Any,
        make_person: Any,
        known: Any,
        switch: str,
        value: object,
        column: str,
        kept: object,
    ) -> None:
        """Also of who comes here later: his token says nothing of it."""
        person = make_person("dora", known=known)
        feed.change(person, privacy=EVERYTHING | {switch: value})
        pull()
        assert api.get("rooms/", token=person.token).status_code == 200
        columns = {"is_findable": True, "last_seen_to": "everyone", "read_receipts": True}
        found = Profile.objects.values("username", *columns).get(pk=person.id)
        assert found == {"username": person.username} | columns | {column: kept}
        feed.change(person, privacy=EVERYTHING)
        pull()
        assert Profile.objects.values(*columns).get(pk=person.id) == columns

    def test_is_told_to_nobody_for_what_he_keeps_to_himself(
        self, feed: AuthFeed, open_room: Any, alice: Any, bob: Any
    ) -> None:
        open_room(alice, bob)
        shown = {"username": alice.username, "display_name": "Alice"}
        feed.change(alice, **shown, privacy=EVERYTHING | {"last_seen": "nobody"})
        told = told_on(PEOPLE_CHANNEL, pull)
        assert [each for _, each in told if each.get("user_id") == alice.id] == []

    def test_has_the_picture_he_had_before_he_came_here(
        self, feed: AuthFeed, api: Any, make_person: Any
    ) -> None:
        person = make_person("dora", known=False)
        feed.change(person, avatar="/api/auth/avatars/x/y.webp")
        pull()
        shown = api.show(person, f"profiles/?user_ids={person.id}")["results"]
        assert [each["avatar"] for each in shown] == ["/api/auth/avatars/x/y.webp"]


class TestPulling:
    def test_asks_with_our_credential_from_the_last_on(self, feed: AuthFeed, alice: Any) -> None:
        for _ in range(2):
            feed.end(alice.id, session_of(alice))
            pull()
        bearer = f"Bearer {configured.INTERNAL_SECRET}"
        paths = [f"/internal/events/?after={after}" for after in (0, 0)]
        assert feed.asked == [(path, bearer) for path in paths]
        feed.end(alice.id, session_of(alice))
        pull()
        assert feed.asked[2:] == [("/internal/events/?after=1", bearer)]
        assert Heard.objects.get().cursor == 3

    def test_applies_each_page_once_in_many_processes(
        self, feed: AuthFeed, together: Any, alice: Any
    ) -> None:
        feed.page = 1
        before = Heard.objects.get().number
        for number in range(5):
            feed.end(alice.id, f"{number} of {alice.id}")
        together(6, lambda _: pull())
        assert heard()[:2] == (5, before + 5)

    def test_goes_on_past_what_it_does_not_know(self, feed: AuthFeed, alice: Any) -> None:
        feed.tell("weather.changed", anything=[1])
        feed.end(alice.id, session_of(alice))
        apply()
        assert session_of(alice) in ended_sessions()

    def test_does_nothing_where_nothing_is_new(self, feed: AuthFeed, alice: Any) -> None:
        pull()
        feed.end(alice.id, session_of(alice))
        pull()
        before = heard()
        pull()
        assert heard() == before

    def test_costs_a_pull_and_a_look_two_statements(
        self, feed: AuthFeed, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(2):
            apply()


class TestTheBell:
    def test_rings_once_however_often_it_was_rung(self) -> None:
        bell = Bell()
        # A new subscription may have missed something.
        assert bell.wait(0)
        with Redis.from_url(configured.REDIS_URL) as redis:
            for number in range(3):
                redis.publish("auth.events", number)
        assert bell.wait(5)
        assert not bell.wait(0.01)

    def test_is_a_mere_pause_without_redis(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        bell, began = Bell(), time.monotonic()
        assert not any(bell.wait(0.1) for _ in range(3))
        assert 0.3 <= time.monotonic() - began < 1

    def test_is_heard_again_after_its_connection_was_lost(self) -> None:
        with Redis.from_url(configured.REDIS_URL) as redis:
            others = {each["id"] for each in redis.client_list(_type="pubsub")}
            bell = Bell()
            bell.wait(0)
            (mine,) = {each["id"] for each in redis.client_list(_type="pubsub")} - others
            redis.client_kill_filter(_id=mine)
            assert any(bell.wait(0.1) for _ in range(5))
            redis.publish("auth.events", 1)
            assert bell.wait(5)


class TestAnAuthServiceThatWentBack:
    def test_is_heard_from_the_first_event_on(
        self, feed: AuthFeed, alice: Any, bob: Any, carol: Any
    ) -> None:
        for person in (alice, alice, bob):
            feed.end(person.id, session_of(person))
        pull()
        del feed.events[1:]
        pull()
        assert Heard.objects.get().cursor == 1
        feed.end(carol.id, session_of(carol))
        apply()
        assert all(session_of(each) in ended_sessions() for each in (alice, bob, carol))

    def test_is_noticed_when_it_has_come_further_again(
        self, feed: AuthFeed, alice: Any, bob: Any
    ) -> None:
        for _ in range(3):
            feed.end(alice.id, session_of(alice))
        pull()
        del feed.events[1:]
        for _ in range(4):
            feed.end(bob.id, session_of(bob))
        apply()
        assert Heard.objects.get().cursor == 5
        assert session_of(bob) in ended_sessions()

    def test_has_forgotten_whom_it_deactivated(
        self, feed: AuthFeed, api: Any, alice: Any, bob: Any
    ) -> None:
        feed.change(bob, active=False)
        feed.change(alice, active=False)
        pull()
        del feed.events[1:]
        apply()
        assert Profile.objects.get(pk=alice.id).is_active
        assert not Profile.objects.get(pk=bob.id).is_active


def event(**changed: object) -> dict[str, object]:
    return {"id": 1, "type": "sessions.ended", "at": AT, "data": ENDED} | changed


USELESS = {
    "nothing": b"",
    "no JSON": b"<html>",
    "half of it": as_page([event()])[:-9],
    "an array": b"[]",
    "no events": b"{}",
    "null events": b'{"events":null,"more":false}',
    "events of another kind": b'{"events":["1"],"more":false}',
    "no more": b'{"events":[]}',
    "more of nothing": b'{"events":[],"more":true}',
    "more of another kind": b'{"events":[],"more":"no"}',
    "no number": as_page([event(id="1")]),
    "a number that is true": as_page([event(id=True)]),
    "a number too large": as_page([event(id=2**63)]),
    "a number twice": as_page([event(), event()]),
    "numbers out of order": as_page([event(id=2), event(id=1)]),
    "no time": as_page([event(at="yesterday")]),
    "a time without a zone": as_page([event(at="2026-01-29T10:30:00")]),
    "no type": as_page([event(type=None)]),
    "no data": as_page([event(data=None)]),
    "sids that are one text": as_page([event(data=ENDED | {"sids": "garbage"})]),
    "an empty sid": as_page([event(data=ENDED | {"sids": [""]})]),
    "a sid with a NUL": as_page([event(data=ENDED | {"sids": ["a\0b"]})]),
    "a sid too long": as_page([event(data=ENDED | {"sids": ["x" * 256]})]),
    "a number for a user": as_page([event(data=ENDED | {"user_id": 1})]),
    "no until": as_page([event(data=ENDED | {"until": None})]),
    "a person without a name": as_page(
        [event(type="user.changed", data=CHANGED | {"username": ""})]
    ),
    "privacy of another kind": as_page(
        [event(type="user.changed", data=CHANGED | {"privacy": "none"})]
    ),
    "half a privacy": as_page([event(type="user.changed", data=CHANGED | {"privacy": {}})]),
    "half active": as_page([event(type="user.changed", data=CHANGED | {"active": 1})]),
    "a good one before a bad one": as_page([event(), event(id=2, data={})]),
}


class TestAUselessAnswer:
    @pytest.mark.parametrize("body", USELESS.values(), ids=USELESS.keys())
    def test_changes_nothing(self, feed: AuthFeed, body: bytes) -> None:
        feed.answer = body
        before = heard()
        with pytest.raises((ValueError, TypeError, KeyError, DatabaseError)):
            pull()
        assert heard() == before
        assert not EndedSession.objects.filter(session_id="garbage").exists()

    @pytest.mark.parametrize("how", ["hang", "drip", "redirect", "fail"])
    def test_is_over_soon(self, feed: AuthFeed, how: str) -> None:
        feed.answer = getattr(feed, how)
        before, began = heard(), time.monotonic()
        with pytest.raises((OSError, HTTPException, ValueError)):
            pull()
        assert time.monotonic() - began < 3
        assert heard() == before
        assert len(feed.asked) == 1

    def test_is_as_long_as_it_may_be_and_no_longer(self, feed: AuthFeed, alice: Any) -> None:
        feed.end(alice.id, session_of(alice))
        page = feed.page_after(0)
        feed.answer = page.ljust(8 * 1024 * 1024 + 1)
        with pytest.raises(ValueError, match="too long"):
            pull()
        assert Heard.objects.get().cursor == 0
        feed.answer = page.ljust(8 * 1024 * 1024)
        pull()
        assert Heard.objects.get().cursor == 1


def test_a_silent_auth_service_costs_no_connection_to_postgres(db: None) -> None:
    def ask() -> None:
        raise ConnectionRefusedError

    connection.ensure_connection()
    Follower()._try("auth_service cannot be heard", ask)
    assert not connection.connection.closed
