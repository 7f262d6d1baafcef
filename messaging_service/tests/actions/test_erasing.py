"""Whoever was erased has no name any more, and all that was kept of him goes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey
from prometheus_client import REGISTRY

from messaging.actions.blocks import block_person
from messaging.actions.contacts import accept_contact, request_contact
from messaging.actions.erasing import begin_erasures, go_on
from messaging.actions.erasing.beginning import _BEGIN
from messaging.actions.erasing.following import Eraser
from messaging.actions.erasing.parts import take_away
from messaging.actions.erasing.working import CLAIMED_SECONDS, SWEEPS
from messaging.actions.members import add_member
from messaging.actions.presence.chosen import set_presence
from messaging.actions.presence.told import came
from messaging.actions.profiles import (
    _REMEMBER,
    _keep,
    forget_caller,
    know_person,
    remember_caller,
)
from messaging.actions.reads import mark_read
from messaging.actions.rooms import open_direct_room
from messaging.actions.sessions import ended_sessions
from messaging.actions.sessions.pulling import pull
from messaging.errors import NotFound
from messaging.events import PEOPLE_CHANNEL, room_channel
from messaging.models import AuthFeed as Heard
from messaging.models import (
    Block,
    Contact,
    Erasure,
    Member,
    Message,
    Presence,
    Profile,
    Room,
)
from messaging.queries.auth_events import Privacy, UserErased
from messaging.queries.directory import Person
from messaging.queries.personal import PERSONAL
from messaging.queries.profiles import profile_named
from messaging_service.tests.auth_feed import AuthFeed, auth_feed
from messaging_service.tests.telling import told_on
from service_kit.refusals import Refusal
from service_kit.testing import token_for
from service_kit.tokens import verify

TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"


# Takes somebody's things away, and ends without a word after so many statements.
KILLED = """
import os, signal
import django
django.setup()
from django.db import connection
from messaging.actions.erasing.parts import take_away

left = {statements}

def count(execute, *arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(*arguments)

with connection.execute_wrapper(count):
    take_away("{user_id}")
"""


@pytest.fixture
def feed(settings: Any) -> Iterator[AuthFeed]:
    with auth_feed() as feed:
        settings.AUTH_API_URL = feed.url
        Heard.objects.update(cursor=0, mark="")
        yield feed


def now() -> datetime:
    return datetime.now(UTC)


def begin(person: Any) -> None:
    begin_erasures([UserErased(person.id, now())])


def erase(person: Any) -> None:
    """All of it, in this thread, whoever else may be at it."""
    begin(person)
    while take_away(person.id):
        pass


def traces(*canaries: str) -> dict[tuple[str, str], int]:
    """Which of these stands in which table, and in how many rows."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            for canary in canaries:
                cursor.execute(
                    f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s",  # noqa: S608 - a name of Postgres' own.
                    [f"%{canary}%"],
                )
                (number,) = cursor.fetchone()
                if number:
                    found[table, canary] = number
    return found


@pytest.fixture
def canary(make_person: Callable[..., Any], api: Any, bob: Any, carol: Any) -> Any:
    """Somebody with something in every table, who shares a room with bob and has others."""
    stranger = make_person("canaryname", known=False)
    token = token_for(stranger.id, username=stranger.username, name=display_name(stranger))
    person = replace(stranger, token=token)
    remember_caller(claims=verify(token))
    Profile.objects.filter(pk=person.id).update(avatar=f"/{person.id}.webp")
    room = open_direct_room(caller_id=person.id, other=know_person(user_id=bob.id)).room
    api.post(f"rooms/{room.pk}/messages/", {"content": "stays"}, token=person.token)
    mark_read(user_id=bob.id, room_id=room.pk, seq=1)
    Member.objects.filter(user=person.id).update(read_at=now())
    others = open_direct_room(caller_id=bob.id, other=know_person(user_id=carol.id)).room
    add_member(room_id=others.pk, user_id=person.id)
    set_presence(
        user_id=person.id, is_here=True, custom_status=f"status {person.id}", status="busy"
    )
    asked = request_contact(user_id=person.id, other=know_person(user_id=bob.id)).contact
    accept_contact(user_id=bob.id, contact_id=asked.pk)
    request_contact(user_id=carol.id, other=know_person(user_id=person.id))
    block_person(user_id=person.id, other=know_person(user_id=carol.id))
    return person


def display_name(person: Any) -> str:
    return f"Canary Number {person.id}"


def canaries(person: Any) -> tuple[str, ...]:
    return (person.username, display_name(person), f"{person.id}.webp", f"status {person.id}")


class TestErasing:
    def test_leaves_no_name_anywhere(self, canary: Any) -> None:
        assert {found for _, found in traces(*canaries(canary))} == set(canaries(canary))
        erase(canary)
        assert traces(*canaries(canary)) == {}

    def test_leaves_the_messages_where_they_are(self, api: Any, canary: Any, bob: Any) -> None:
        room = Room.objects.get(members__user=canary.id, members__pos=0, room_type="direct")
        before = Message.objects.filter(room=room).values().get()
        erase(canary)
        assert Message.objects.filter(room=room).values().get() == before
        (shown,) = api.show(bob, f"rooms/{room.pk}/messages/")["results"]
        assert (shown["content"], shown["sender_id"]) == ("stays", canary.id)
        assert (shown["sender_username"], shown["sender_name"]) == ("deleted user", "Deleted user")

    def test_keeps_the_room_of_two_for_the_other(self, api: Any, canary: Any, bob: Any) -> None:
        erase(canary)
        (room,) = [
            room
            for room in api.show(bob, "rooms/")["results"]
            if canary.id in {room["participant_a"], room["participant_b"]}
        ]
        names = {each["user_id"]: each["username"] for each in room["participants"]}
        assert names[canary.id] == "deleted user"
        again = api.post("rooms/", {"participants": [canary.id]}, token=bob.token)
        assert (again.status_code, again.json()["id"]) == (200, room["id"])

    def test_leaves_every_other_room_as_anybody_does(self, canary: Any, carol: Any) -> None:
        room = Room.objects.get(members__user=carol.id)
        told = told_on(room_channel(room.pk), lambda: erase(canary))
        ((pos, left),) = [each for each in told if each[1]["type"] == "member.left"]
        assert (left["user_id"], left["username"]) == (canary.id, "deleted user")
        mine = Member.objects.get(room=room, user=canary.id)
        assert (mine.left_pos, mine.pos) == (pos, pos)

    def test_takes_all_that_is_his_alone(self, canary: Any, bob: Any, carol: Any) -> None:
        set_presence(user_id=bob.id, status="online")
        erase(canary)
        assert not Presence.objects.filter(pk=canary.id).exists()
        assert not Block.objects.filter(blocker=canary.id).exists()
        assert not Member.objects.filter(user=canary.id).exclude(read_at=None).exists()
        states = Contact.objects.filter(requester__in=[canary.id, carol.id]).values_list("state")
        assert {state for (state,) in states} == {"removed"}
        assert Presence.objects.filter(pk=bob.id).exists()
        assert Member.objects.exclude(read_at=None).filter(user=bob.id).exists()

    def test_is_told_to_whoever_knows_the_name(self, canary: Any) -> None:
        told = [frame for _, frame in told_on(PEOPLE_CHANNEL, lambda: erase(canary))]
        named = [frame for frame in told if frame.get("user_id") == canary.id]
        assert named[0] == {
            "type": "user.changed",
            "user_id": canary.id,
            "username": "deleted user",
            "display_name": "Deleted user",
            "avatar": None,
        }
        gone = [frame for frame in named if frame["type"] == "presence"]
        assert {(frame["status"], frame["custom_status"]) for frame in gone} == {("offline", None)}

    def test_leaves_nothing_but_what_every_erased_profile_has(self, canary: Any) -> None:
        begin_erasures([UserErased(nobody := f"never-seen-{canary.id}", now())])
        erase(canary)
        own = {"user_id", "erased_at", "updated_at", "pos", "named_at"}
        mine, theirs = Profile.objects.filter(pk__in=[canary.id, nobody]).values_list()
        names = [field.attname for field in Profile._meta.concrete_fields]
        pairs = zip(names, mine, theirs, strict=True)
        assert {name for name, one, other in pairs if one != other} <= own

    def test_changes_nothing_the_second_time(self, canary: Any) -> None:
        erase(canary)
        before = [list(each.model._default_manager.values().order_by("pk")) for each in PERSONAL]
        assert told_on(PEOPLE_CHANNEL, lambda: take_away(canary.id)) == []
        after = [list(each.model._default_manager.values().order_by("pk")) for each in PERSONAL]
        assert after[:4] == before[:4]


class TestWhoWasErased:
    def test_is_named_by_no_token_that_comes_late(self, canary: Any) -> None:
        late = token_for(canary.id, username=canary.username, name=display_name(canary))
        erase(canary)
        for _ in range(2):
            forget_caller(canary.id)
            with pytest.raises(Refusal, match="session_revoked"):
                remember_caller(claims=verify(late))
        assert traces(*canaries(canary)) == {}

    def test_is_named_by_none_even_if_he_was_never_here(self, make_person: Any) -> None:
        stranger = make_person("neverseen", known=False)
        begin(stranger)
        with pytest.raises(Refusal, match="session_revoked"):
            remember_caller(claims=verify(stranger.token))
        assert traces(stranger.username) == {}

    def test_is_not_brought_back_by_events_of_before(self, feed: AuthFeed, canary: Any) -> None:
        feed.change(canary, display_name=display_name(canary), avatar="/1.webp")
        feed.tell("user.erased", user_id=canary.id)
        feed.change(canary, display_name=display_name(canary), avatar="/1.webp")
        feed.change(canary, username="", active=False)
        pull()
        assert Heard.objects.get().cursor == 4
        while take_away(canary.id):
            pass
        assert traces(*canaries(canary)) == {}

    def test_is_not_brought_back_by_an_older_auth_service(
        self, feed: AuthFeed, api: Any, canary: Any, refusal: Any
    ) -> None:
        feed.tell("user.erased", user_id=canary.id)
        pull()
        feed.events[:] = []
        feed.change(canary, display_name=display_name(canary))
        pull()
        forget_caller(canary.id)
        refusal(api.get("rooms/", token=canary.token), 401, "session_revoked")
        assert Profile.objects.get(pk=canary.id).display_name == "Deleted user"

    def test_is_refused_at_both_doors(
        self, feed: AuthFeed, api: Any, connect: Any, canary: Any, room: int, refusal: Any
    ) -> None:
        feed.end(canary.id, f"session-{canary.id}")
        feed.tell("user.erased", user_id=canary.id)
        pull()
        ended_sessions().look()
        refusal(api.get("rooms/", token=canary.token), 401, "session_revoked")
        other = token_for(canary.id, username=canary.username, session_id="another one")
        refusal(api.get("rooms/", token=other), 401, "session_revoked")
        assert traces(canary.username) == {}

    def test_comes_back_online_by_no_lease(self, canary: Any) -> None:
        erase(canary)
        came([canary.id])
        assert not Presence.objects.filter(pk=canary.id).exists()

    def test_is_found_and_asked_by_nobody(
        self, api: Any, canary: Any, bob: Any, alice: Any, room: int, refusal: Any
    ) -> None:
        erase(canary)
        answers = [
            api.post("rooms/", {"participants": [canary.id]}, token=alice.token),
            api.post("contacts/", {"user_id": canary.id}, token=bob.token),
        ]
        for answer in answers:
            refusal(answer, 404, "not_found")
        assert profile_named("deleted user") is None
        with pytest.raises(NotFound):
            add_member(room_id=room, user_id=canary.id)


class TestAtTheSameMoment:
    """Whoever comes first, no name is left."""

    @pytest.mark.parametrize("known", [True, False])
    def test_as_a_token_names_him(self, make_person: Any, known: Any) -> None:
        person = make_person("atonce", known=known)
        forget_caller(person.id)
        with another_connection() as (link, cursor):
            cursor.execute(_BEGIN, [[person.id], [now()]])
            late = in_thread(lambda: remember_caller(claims=verify(person.token)))
            wait_for_a_waiter()
            link.commit()
            with suppress(Refusal):
                late.result(10)
        assert traces(person.username) == {}

    @pytest.mark.parametrize("known", [True, False])
    def test_after_a_token_has_named_him(self, make_person: Any, known: Any) -> None:
        person = make_person("atonce", known=known)
        names = (person.username, "Another Name", time.time(), person.id)
        with another_connection() as (link, cursor):
            cursor.execute(_REMEMBER, [person.id, *names])
            erasing = in_thread(lambda: begin(person))
            wait_for_a_waiter()
            link.commit()
            erasing.result(10)
        assert traces(person.username) == {}

    def test_as_auth_service_is_asked_for_him(self, make_person: Any) -> None:
        person = make_person("atonce", known=False)
        told = Person(
            person.id, person.username, "At Once", None, is_active=True, privacy=Privacy()
        )
        with another_connection() as (link, cursor):
            cursor.execute(_BEGIN, [[person.id], [now()]])
            keeping = in_thread(lambda: _keep([told]))
            wait_for_a_waiter()
            link.commit()
            assert keeping.result(10).username == "deleted user"
        assert traces(person.username) == {}


@contextmanager
def another_connection() -> Iterator[tuple[Any, Any]]:
    """A transaction that ends when the test says so."""
    with closing(psycopg2.connect(**connection.get_connection_params())) as link:
        yield link, link.cursor()


def in_thread(act: Callable[[], Any]) -> "Future[Any]":
    def run() -> Any:
        with closing(connection):
            return act()

    pool = ThreadPoolExecutor(1)
    doing = pool.submit(run)
    pool.shutdown(wait=False)
    return doing


def wait_for_a_waiter() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


class TestTheWork:
    def test_is_due_until_nothing_was_found_twice(self, canary: Any) -> None:
        begin(canary)
        mine = Erasure.objects.filter(pk=canary.id)
        while mine.get().done_at is None:
            if not go_on():
                mine.filter(sweeps__gt=0).update(due_at=now())
        assert mine.get().sweeps == SWEEPS
        assert traces(*canaries(canary)) == {}

    def test_is_shown_while_it_lasts(self, canary: Any) -> None:
        def shown() -> tuple[float | None, ...]:
            names = ("parley_erasures_open", "parley_erasures_oldest_seconds")
            return tuple(map(REGISTRY.get_sample_value, names))

        begin(canary)
        Erasure.objects.filter(pk=canary.id).update(at=now() - timedelta(hours=1))
        Eraser().try_once()
        number, seconds = shown()
        assert number >= 1
        assert 3600 <= seconds < 3700
        Erasure.objects.filter(done_at=None).update(done_at=now())
        Eraser().try_once()
        assert shown() == (0, 0)

    def test_is_left_to_whoever_has_claimed_it(self, canary: Any) -> None:
        begin(canary)
        mine = Erasure.objects.filter(pk=canary.id)
        mine.update(due_at=now() + timedelta(seconds=CLAIMED_SECONDS))
        while go_on():
            pass
        assert traces(f"status {canary.id}") != {}
        mine.update(due_at=now())
        until(lambda: traces(f"status {canary.id}") == {})

    def test_goes_on_where_somebody_was_killed(self, canary: Any) -> None:
        """A process that dies between any two statements leaves what the next one finds."""
        begin(canary)
        statements = 0
        while True:
            if not die_after(statements, lambda: take_away(canary.id)):
                break
            statements += 1
        while take_away(canary.id):
            pass
        assert statements > 10
        assert traces(*canaries(canary)) == {}

    @pytest.mark.parametrize("statements", [3, 9])
    def test_goes_on_in_another_process(self, canary: Any, statements: int) -> None:
        """The first one is killed by SIGKILL, half-way through a transaction or between two."""
        begin(canary)
        Erasure.objects.filter(pk=canary.id).update(due_at=now() + timedelta(minutes=1))
        program = KILLED.format(statements=statements, user_id=canary.id)
        database = str(connection.settings_dict["NAME"])
        done = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"DB_NAME": database}, check=False
        )
        assert done.returncode == -signal.SIGKILL
        assert take_away(canary.id)
        while take_away(canary.id):
            pass
        assert traces(*canaries(canary)) == {}

    def test_shows_nobody_online_whose_going_may_not_have_been_told(self, canary: Any) -> None:
        begin(canary)
        take_away(canary.id)
        assert not Presence.objects.exclude(custom_status=None).filter(pk=canary.id).exists()
        told = [frame for _, frame in told_on(PEOPLE_CHANNEL, lambda: take_away(canary.id))]
        assert {"offline"} == {frame["status"] for frame in told if frame["type"] == "presence"}
        assert not Presence.objects.filter(pk=canary.id).exists()

    def test_finds_what_came_while_it_swept(self, canary: Any) -> None:
        erase(canary)
        Presence.objects.create(user_id=canary.id, custom_status=f"status {canary.id}")
        Profile.objects.filter(pk=canary.id).update(username=canary.username)
        while take_away(canary.id):
            pass
        assert traces(*canaries(canary)) == {}


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        if not go_on():
            time.sleep(0.01)


class Killed(BaseException):
    pass


def die_after(number: int, act: Callable[[], object]) -> bool:
    """Do something until it has asked Postgres so often, as far as that; whether it died."""
    left = number

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return execute(*arguments)

    try:
        with connection.execute_wrapper(count):
            act()
    except Killed:
        return True
    return False


class TestTheListOfWhatIsPersonal:
    def test_has_every_column_that_names_somebody(self) -> None:
        listed = {(each.model, column) for each in PERSONAL for column in each.people}
        named = {
            (model, field.name)
            for model in apps.get_app_config("messaging").get_models()
            for field in model._meta.concrete_fields
            if (isinstance(field, ForeignKey) and field.related_model is Profile)
            or field.name.endswith("user_id")
            or field.name.startswith("participant")
        }
        assert named == listed
