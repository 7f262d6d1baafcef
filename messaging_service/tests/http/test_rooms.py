"""Rooms as their members see them: one of them, and the inbox."""

from base64 import b64encode
from urllib.parse import quote, urlsplit

import pytest

from messaging.models import Member, Message


@pytest.fixture
def shown(show):
    """One room as somebody sees it."""
    return lambda person, room: show(person, f"rooms/{room}/")


@pytest.fixture
def inbox(show):
    def read(person, query=""):
        return show(person, query if "://" in query else f"rooms/{query}")

    return read


@pytest.fixture
def busy(make_person, open_room, alice):
    """Rooms of alice, each with somebody else, from the oldest to the newest."""
    return lambda number: [open_room(alice, make_person("friend")) for _ in range(number)]


class TestRoom:
    def test_is_shown_as_documented(self, shown, alice, bob, room):
        told = shown(alice, room)
        times = {name: told.pop(name) for name in ("created_at", "updated_at", "last_activity")}
        joined = [participant.pop("joined_at") for participant in told["participants"]]
        assert all(moment.endswith("Z") for moment in [*times.values(), *joined])
        assert told == {
            "id": room,
            "room_id": room,
            "room_type": "direct",
            "name": "",
            "description": "",
            "image": None,
            "is_private": True,
            "max_participants": 2,
            "is_archived": False,
            "created_by": alice.id,
            "messages_count": 0,
            "seq": 0,
            "pos": 0,
            "participant_a": alice.id,
            "participant_b": bob.id,
            "participants": [
                {
                    "user_id": person.id,
                    "username": person.username,
                    "display_name": name,
                    "avatar": None,
                    "role": "member",
                    "last_read_seq": 0,
                    "muted_until": None,
                }
                for person, name in ((alice, "Alice"), (bob, "Bob"))
            ],
            "participants_count": 2,
            "last_message": None,
            "unread_count": 0,
            "last_read_seq": 0,
            "role": "member",
        }

    def test_is_the_same_in_the_inbox(self, shown, inbox, send, alice, bob, room):
        send(alice, room)
        assert inbox(bob)["results"] == [shown(bob, room)]

    def test_shows_its_newest_message(self, shown, send, alice, bob, room):
        for content in ("first", "last"):
            send(alice, room, content)
        told = shown(bob, room)
        assert (told["last_message"]["content"], told["messages_count"]) == ("last", 2)

    def test_shows_no_message_from_before_one_may_see(self, shown, send, alice, bob, room):
        send(alice, room)
        Member.objects.filter(room_id=room, user_id=bob.id).update(visible_from_seq=2)
        assert shown(bob, room)["last_message"] is None
        assert shown(alice, room)["last_message"]["seq"] == 1


class TestALargeRoom:
    @pytest.fixture
    def last(self, make_person, room):
        """The last of 23 who are in the room, after one who left."""
        people = [make_person() for _ in range(22)]
        Member.objects.bulk_create(
            Member(room_id=room, user_id=person.id, last_read_seq=number)
            for number, person in enumerate(people)
        )
        Member.objects.filter(room_id=room, user_id=people[0].id).update(left_pos=0)
        return people[-1]

    def test_shows_the_first_twenty_and_how_many_there_are(
        self, shown, inbox, alice, bob, room, last
    ):
        present = Member.objects.filter(room_id=room, left_pos=None).order_by("pk")
        for told in (shown(alice, room), inbox(last)["results"][0]):
            assert told["participants_count"] == 23
            first = list(present.values_list("user_id", flat=True)[:20])
            assert [each["user_id"] for each in told["participants"]] == first
            assert first[:2] == [alice.id, bob.id]

    def test_shows_everybody_his_own_place_in_it(self, shown, room, last):
        assert shown(last, room)["last_read_seq"] == 21


class TestUnread:
    def test_is_what_others_have_written_since(self, shown, send, alice, bob, room):
        for _ in range(3):
            send(alice, room)
        assert (shown(bob, room)["unread_count"], shown(bob, room)["last_read_seq"]) == (3, 0)
        assert (shown(alice, room)["unread_count"], shown(alice, room)["last_read_seq"]) == (0, 3)

    def test_stays_when_one_answers_without_reading(self, shown, send, alice, bob, room):
        for person in (alice, alice, bob, bob, alice):
            send(person, room)
        told = shown(bob, room)
        # Two before his own and one after; his own are not unread to him.
        assert (told["unread_count"], told["last_read_seq"]) == (3, 0)

    def test_marker_moves_with_what_one_sends_when_nothing_was_unread(
        self, shown, send, alice, bob, room
    ):
        send(alice, room)
        Member.objects.filter(room_id=room, user_id=bob.id).update(last_read_seq=1)
        send(bob, room)
        send(bob, room)
        assert shown(bob, room)["last_read_seq"] == 3
        participants = shown(alice, room)["participants"]
        assert [member["last_read_seq"] for member in participants] == [1, 3]
        assert (shown(alice, room)["unread_count"], shown(bob, room)["unread_count"]) == (2, 0)

    def test_does_not_count_what_was_deleted(self, shown, send, alice, bob, room):
        gone = send(alice, room)["id"]
        send(alice, room)
        Message.objects.filter(pk=gone).update(deleted_at="2026-01-01T00:00:00Z", content="")
        assert shown(bob, room)["unread_count"] == 1

    def test_does_not_count_what_one_may_not_see(self, shown, send, alice, bob, room):
        for _ in range(3):
            send(alice, room)
        Member.objects.filter(room_id=room, user_id=bob.id).update(visible_from_seq=3)
        assert shown(bob, room)["unread_count"] == 1

    def test_is_counted_for_each_room(self, inbox, send, busy, make_person, open_room, alice):
        friends = [make_person("friend") for _ in range(3)]
        rooms = [open_room(alice, friend) for friend in friends]
        for number, (friend, room) in enumerate(zip(friends, rooms, strict=True)):
            for _ in range(number):
                send(friend, room)
        counts = {told["id"]: told["unread_count"] for told in inbox(alice)["results"]}
        assert counts == dict(zip(rooms, [0, 1, 2], strict=True))


class TestInbox:
    def test_of_somebody_new_is_empty(self, inbox, make_person):
        told = inbox(make_person(known=False))
        assert told == {"next": None, "previous": None, "results": []}

    def test_holds_only_ones_own_rooms(self, inbox, open_room, alice, bob, carol, room):
        other = open_room(bob, carol)
        assert [told["id"] for told in inbox(alice)["results"]] == [room]
        assert {told["id"] for told in inbox(bob)["results"]} == {room, other}

    def test_has_the_newest_message_first(self, inbox, send, busy, alice):
        rooms = busy(3)
        send(alice, rooms[1])
        assert [told["id"] for told in inbox(alice)["results"]] == [rooms[1], rooms[2], rooms[0]]
        send(alice, rooms[0])
        assert [told["id"] for told in inbox(alice)["results"]] == [rooms[0], rooms[1], rooms[2]]

    @pytest.mark.parametrize("size", [1, 3, 7, 100])
    def test_is_covered_exactly_once_by_following_the_links(self, inbox, busy, alice, size):
        rooms = busy(7)
        told, found = inbox(alice, f"?page_size={size}"), []
        while True:
            assert len(told["results"]) <= size
            found += [room["id"] for room in told["results"]]
            if told["next"] is None:
                break
            assert urlsplit(told["next"]).netloc == "testserver"
            told = inbox(alice, told["next"])
        assert found == rooms[::-1]
        while told["previous"]:
            told = inbox(alice, told["previous"])
        assert [room["id"] for room in told["results"]] == rooms[::-1][:size]

    def test_page_holds_a_hundred_at_most(self, inbox, busy, alice):
        rooms = busy(101)
        assert len(inbox(alice)["results"]) == 50
        for size in ("100", "101", "9" * 30):
            told = inbox(alice, f"?page_size={size}")
            assert [room["id"] for room in told["results"]] == rooms[:0:-1]
            assert told["next"] is not None

    @pytest.mark.parametrize("query", ["page_size=0", "page_size=-1", "page_size=x", "page_size="])
    def test_page_has_its_usual_size_for_no_size(self, inbox, room, alice, query):
        assert len(inbox(alice, f"?{query}")["results"]) == 1

    @pytest.mark.parametrize(
        "cursor",
        [
            *("p=x", "p=1", "p=2026", "p=2026-01-29", "p=2026-13-01 00:00:00Z", "p=\0"),
            *("p=2026-01-29 10:30:00", "o=-1", "o=x", "p=9" + "9" * 5_000),
            # No zone but UTC is ever given, and Postgres takes fewer than Python.
            *("p=2026-01-01T00:00:00%2B20:00", "p=0001-01-01 00:00:00%2B14:00"),
        ],
    )
    def test_refuses_a_cursor_it_never_gave(self, api, refusal, alice, room, cursor):
        for given in (b64encode(cursor.encode("latin-1")).decode(), quote(cursor), "%ff"):
            answer = api.get(f"rooms/?cursor={quote(given)}", token=alice.token)
            told = refusal(answer, 400, "invalid")
            assert [error["field"] for error in told["errors"]] == ["cursor"]

    @pytest.mark.parametrize("cursor", ["p=0001-01-01 00:00:00%2B00:00", "r=1&p=9999-12-31T23:59Z"])
    def test_takes_no_harm_from_the_ends_of_time(self, inbox, alice, room, cursor):
        given = quote(b64encode(cursor.encode()).decode())
        assert inbox(alice, f"?cursor={given}")["results"] == []

    def test_takes_as_many_queries_for_twenty_rooms_as_for_one(
        self, inbox, send, busy, alice, django_assert_num_queries
    ):
        for room in busy(1):
            send(alice, room)
        inbox(alice)
        with django_assert_num_queries(4):
            inbox(alice)
        for room in busy(19):
            send(alice, room)
        with django_assert_num_queries(4):
            assert len(inbox(alice)["results"]) == 20
