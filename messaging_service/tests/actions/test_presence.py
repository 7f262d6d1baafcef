"""What somebody says of himself: kept, shown to others as far as they may see it, and told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now
from prometheus_client import REGISTRY

from messaging.actions.presence import chosen, told
from messaging.actions.presence.chosen import set_presence
from messaging.actions.presence.told import came, end_custom_statuses, went
from messaging.models import Member, Presence, Profile, Room
from messaging.permissions.large_rooms import PRESENCE_UP_TO
from messaging.queries.presence import (
    audiences_of,
    participants_of,
    show_to,
    shown_presence,
)
from messaging_service.tests.websocket.keepers import Told


@pytest.fixture
def room(open_room, alice, bob):
    return open_room(alice, bob)


@pytest.fixture
def heard(monkeypatch):
    heard = Told()
    for module in (chosen, told):
        monkeypatch.setattr(module, "publish", heard)
    return heard


def seen_by(viewer, person):
    [shown] = shown_presence(viewer_id=viewer.id, user_ids=[person.id])
    return shown


def rewind(person, **times):
    """Make it so much longer ago that something began."""
    kept = Presence.objects.get(pk=person.id)
    for name, delta in times.items():
        setattr(kept, name, (getattr(kept, name) or now()) - delta)
    kept.save()


def counted():
    """How many came and went."""
    name = "parley_presence_changes_total"
    kinds = ({"change": "came"}, {"change": "went"})
    return [REGISTRY.get_sample_value(name, kind) or 0 for kind in kinds]


def fill(room_id, count):
    """Make people members until they are so many."""
    made = [Profile(user_id=f"{room_id}-{n}", username=f"{n}") for n in range(count - 2)]
    Profile.objects.bulk_create(made)
    Member.objects.bulk_create([Member(room_id=room_id, user=profile) for profile in made])


class TestSetPresence:
    def test_is_told_once_and_shown(self, heard, alice, bob, room):
        came([alice.id])
        mine = set_presence(user_id=alice.id, status="away", custom_status="lunch")
        assert heard.of(alice) == ["online", "away"]
        assert seen_by(bob, alice) == mine
        assert heard.frames[-1] == {"type": "presence", **mine}
        assert (mine["status"], mine["custom_status"]) == ("away", "lunch")
        assert mine["away_since"] is not None

    def test_that_changes_nothing_others_see_is_not_told(self, heard, alice, room):
        came([alice.id])
        for again in ({"status": "online"}, {}, {"custom_status": None}):
            set_presence(user_id=alice.id, **again)
        assert heard.of(alice) == ["online"]

    def test_of_somebody_who_is_not_here_is_kept_for_when_he_comes(self, heard, alice, bob, room):
        assert set_presence(user_id=alice.id, status="busy")["status"] == "busy"
        assert (heard.of(alice), seen_by(bob, alice)["status"]) == ([], "offline")
        came([alice.id])
        assert (heard.of(alice), seen_by(bob, alice)["status"]) == (["busy"], "busy")

    def test_keeps_what_is_left_out(self, heard, alice, room):
        soon = now() + timedelta(hours=1)
        full = {"custom_status": "x", "status_emoji": "🌴", "status_expires_at": soon}
        before = set_presence(user_id=alice.id, **full)
        after = set_presence(user_id=alice.id, status="busy")
        assert after == before | {"status": "busy"}

    def test_forgets_until_when_an_older_custom_status_was_meant(self, heard, alice, room):
        soon = now() + timedelta(hours=1)
        set_presence(user_id=alice.id, custom_status="x", status_expires_at=soon)
        after = set_presence(user_id=alice.id, custom_status="y")
        assert (after["custom_status"], after["status_expires_at"]) == ("y", None)

    def test_keeps_since_when_one_is_away(self, heard, alice, room):
        first = set_presence(user_id=alice.id, status="away")["away_since"]
        assert set_presence(user_id=alice.id, status="away")["away_since"] == first
        assert set_presence(user_id=alice.id, status="busy")["away_since"] is None


class TestACustomStatus:
    def test_ends_when_it_was_meant_to(self, heard, alice, bob, room):
        soon = now() + timedelta(hours=1)
        set_presence(user_id=alice.id, custom_status="x", status_expires_at=soon)
        assert seen_by(bob, alice)["custom_status"] == "x"
        rewind(alice, status_expires_at=timedelta(hours=2))
        for shown in (seen_by(bob, alice), seen_by(alice, alice)):
            told_of = [shown[k] for k in ("custom_status", "status_emoji", "status_expires_at")]
            assert told_of == [None, None, None]
        assert set_presence(user_id=alice.id, status_emoji="🌴")["custom_status"] is None

    def test_is_told_to_have_ended_once(self, heard, alice, bob, room):
        soon = now() + timedelta(hours=1)
        for person in (alice, bob):
            set_presence(user_id=person.id, custom_status="x", status_expires_at=soon)
        rewind(alice, status_expires_at=timedelta(hours=2))
        before = len(heard.frames)
        end_custom_statuses()
        end_custom_statuses()
        [told_of] = heard.frames[before:]
        assert (told_of["user_id"], told_of["custom_status"]) == (alice.id, None)
        assert told_of["status_expires_at"] is None
        assert seen_by(alice, bob)["custom_status"] == "x"

    def test_of_more_people_than_are_ended_at_once_ends(self, heard, monkeypatch, crowd_of):
        people = crowd_of(5)
        for person in people:
            set_presence(user_id=person.id, custom_status="x")
            rewind(person, status_expires_at=timedelta(hours=1))
        heard.frames.clear()
        monkeypatch.setattr(told, "BATCH", 2)
        end_custom_statuses()
        assert sorted(each["user_id"] for each in heard.frames) == [each.id for each in people]


class TestSayingSoOnAConnection:
    """It may be quicker than what tells that he came."""

    def test_is_coming(self, heard, alice, bob, room):
        came_before, _ = counted()
        set_presence(user_id=alice.id, is_here=True, status="busy", custom_status="x")
        came([alice.id])
        [told_of] = heard.frames
        assert (told_of["status"], told_of["custom_status"]) == ("busy", "x")
        assert seen_by(bob, alice) == {key: told_of[key] for key in seen_by(bob, alice)}
        assert counted()[0] == came_before + 1

    def test_may_be_hiding(self, heard, alice, bob, room):
        set_presence(user_id=alice.id, is_here=True, status="invisible")
        came([alice.id])
        assert heard.frames == []
        assert seen_by(bob, alice)["last_seen"] is None

    def test_again_is_not_coming_again(self, heard, alice, room):
        came([alice.id])
        rewind(alice, online_since=timedelta(seconds=50))
        set_presence(user_id=alice.id, is_here=True, status="busy")
        assert heard.frames[-1]["total_online_time"] == 50


class TestWhatIsToldOfSomebody:
    def test_has_a_higher_number_each_time(self, heard, alice, room):
        came([alice.id])
        set_presence(user_id=alice.id, status="busy")
        went([alice.id])
        set_presence(user_id=alice.id, custom_status="x")
        rewind(alice, status_expires_at=timedelta(hours=1))
        end_custom_statuses()
        set_presence(user_id=alice.id, is_here=True)
        numbers = [number for user_id, number in heard.subjects if user_id == alice.id]
        assert numbers == [1, 2, 3, 4, 5, 6]


class TestHiding:
    @pytest.mark.parametrize("status", ["invisible", "offline"])
    def test_looks_like_going_and_coming(self, heard, alice, bob, room, status):
        came([alice.id])
        assert set_presence(user_id=alice.id, status=status)["status"] == status
        assert seen_by(bob, alice)["status"] == "offline"
        assert seen_by(bob, alice)["last_seen"] is not None
        set_presence(user_id=alice.id, status="online")
        assert heard.of(alice) == ["online", "offline", "online"]

    def test_is_neither_counted_nor_seen(self, heard, alice, bob, room):
        came([alice.id])
        rewind(alice, online_since=timedelta(seconds=100))
        set_presence(user_id=alice.id, status="invisible")
        hidden = seen_by(bob, alice)
        assert hidden["total_online_time"] == 100
        rewind(alice, online_since=timedelta(seconds=1000))
        assert seen_by(bob, alice) == hidden
        went([alice.id])
        assert seen_by(bob, alice) == hidden
        came([alice.id])
        rewind(alice, online_since=timedelta(seconds=1000))
        set_presence(user_id=alice.id, status="busy")
        assert seen_by(bob, alice)["total_online_time"] == 100
        assert heard.of(alice) == ["online", "offline", "busy"]


class TestTotalOnlineTime:
    def test_is_the_sum_and_runs(self, heard, alice, bob, room):
        for _ in range(2):
            came([alice.id])
            rewind(alice, online_since=timedelta(seconds=50))
            went([alice.id])
        assert seen_by(bob, alice)["total_online_time"] == 100
        came([alice.id])
        rewind(alice, online_since=timedelta(seconds=50))
        assert seen_by(bob, alice)["total_online_time"] == 150


class TestComingAndGoing:
    def test_again_is_not_told_again(self, heard, alice, bob, room):
        for act, ids in ((came, [alice.id]), (came, [alice.id, bob.id]), (went, [alice.id])):
            act(ids)
            act(ids)
        assert heard.of(alice) == ["online", "offline"]
        assert heard.of(bob) == ["online"]

    def test_is_counted(self, heard, alice, bob):
        came_before, went_before = counted()
        set_presence(user_id=bob.id, status="invisible")
        for act, ids in ((came, [alice.id, bob.id]), (came, [alice.id]), (went, [alice.id])):
            act(ids)
        assert counted() == [came_before + 2, went_before + 1]

    def test_at_once_in_many_threads_is_told_once(self, heard, together, crowd_of):
        people = crowd_of(30)
        ids = [person.id for person in people]
        together(6, lambda n: came(ids if n % 2 else ids[::-1]))
        together(6, lambda n: went(ids if n % 2 else ids[::-1]))
        assert {tuple(heard.of(person)) for person in people} == {("online", "offline")}

    def test_of_who_is_here_already_does_not_even_lock_him(self, heard, alice):
        def touched():
            with connection.cursor() as cursor:
                cursor.execute("SELECT xmin, xmax FROM presence WHERE user_id = %s", [alice.id])
                return cursor.fetchone()

        came([alice.id])
        before = touched()
        came([alice.id])
        assert touched() == before

    def test_of_somebody_unknown_is_nothing(self, heard):
        came(["nobody"])
        went(["nobody"])
        assert heard.frames == []
        assert not Presence.objects.filter(pk="nobody").exists()


@pytest.fixture
def crowd_of(make_person, open_room, alice):
    def make(count):
        people = [make_person("one") for _ in range(count)]
        for person in people:
            open_room(alice, person)
        return people

    return make


class TestAudiences:
    def test_are_the_rooms_one_is_in(self, alice, bob, carol, open_room):
        rooms = sorted([open_room(alice, bob), open_room(alice, carol)])
        Room.objects.filter(pk=rooms[1]).update(pos=7)
        Member.objects.filter(room_id=rooms[1], user_id=carol.id).update(left_pos=1)
        found = audiences_of([alice.id, bob.id, carol.id])
        assert found == {alice.id: {rooms[0]: 0, rooms[1]: 7}, bob.id: {rooms[0]: 0}}

    def test_are_rooms_of_at_most_500(self, heard, alice, bob, room, make_person):
        fill(room, PRESENCE_UP_TO)
        assert audiences_of([alice.id]) == {alice.id: {room: 0}}
        shown = participants_of([room])[room]
        assert len(shown) == PRESENCE_UP_TO == 500
        Member.objects.create(room_id=room, user_id=make_person().id)
        assert audiences_of([alice.id]) == {}
        assert participants_of([room]) == {}
        came([alice.id])
        assert heard.frames == []
        assert seen_by(bob, alice)["status"] == "online"


class TestParticipantsPresence:
    def test_shows_the_caller_as_he_chose_to_be(self, heard, alice, bob, room):
        def shown():
            found = show_to(alice.id, participants_of([room])[room])
            return {each["user_id"]: each["status"] for each in found}

        assert shown() == {alice.id: "online", bob.id: "offline"}
        came([bob.id])
        for status in ("busy", "invisible"):
            for person in (alice, bob):
                set_presence(user_id=person.id, status=status)
            others = {"busy": "busy", "invisible": "offline"}[status]
            assert shown() == {alice.id: status, bob.id: others}
