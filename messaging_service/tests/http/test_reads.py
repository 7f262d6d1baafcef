"""Read markers, what is unread, and people, over HTTP."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.actions.members import add_member, remove_member
from messaging.models import Member, Message, Profile, Room


@pytest.fixture
def read(api):
    """POST reads/; returns the answer."""
    return lambda person, **body: api.post("reads/", body, token=person.token)


class TestMarkRead:
    def test_answers_with_the_marker(self, read, show, send, alice, bob, room):
        message = send(alice, room)
        answer = read(bob, room=room, seq=1)
        assert answer.status_code == 200
        row = Member.objects.get(room_id=room, user_id=bob.id)
        told = answer.json()
        read_at = told.pop("read_at")
        assert read_at > message["timestamp"]
        expected = {"id": row.pk, "room": room, "message": message["id"], "seq": 1}
        assert told == expected | {"user_id": bob.id}
        assert show(alice, f"reads/{row.pk}/") == told | {"read_at": read_at}

    def test_may_name_a_message(self, read, send, alice, bob, room):
        ids = [send(alice, room)["id"] for _ in range(3)]
        for form in (ids[1], str(ids[1])):
            told = read(bob, message=form).json()
            assert (told["room"], told["seq"], told["message"]) == (room, 2, ids[1])
        assert read(bob, message=ids[0]).json()["seq"] == 2

    def test_names_the_room_in_either_form(self, read, send, alice, bob, room):
        send(alice, room)
        assert read(bob, room=str(room), seq=1).json()["seq"] == 1

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"seq": 1},
            {"room": "room"},
            {"room": "room", "seq": 1, "message": 1},
            {"message": 1, "seq": 1},
            {"message": None},
            {"message": "x"},
            {"room": "x", "seq": 1},
        ],
    )
    def test_must_be_asked_for_properly(self, read, refusal, send, alice, bob, room, body):
        send(alice, room)
        body = {name: room if value == "room" else value for name, value in body.items()}
        refusal(read(bob, **body), 400, "invalid")
        assert Member.objects.get(room_id=room, user_id=bob.id).last_read_seq == 0

    def test_by_a_stranger_is_not_found(self, read, refusal, send, alice, carol, room):
        message = send(alice, room)
        for body in ({"message": message["id"]}, {"room": room, "seq": 1}, {"message": 2**63}):
            refusal(read(carol, **body), 404, "not_found")
        for room_id in (0, 2**63, "9" * 20):
            refusal(read(carol, room=room_id, seq=1), 404, "not_found")


class TestMarkers:
    def test_of_oneself_are_listed(self, read, show, send, open_room, alice, bob, carol, room):
        other = open_room(alice, carol)
        message = send(alice, room)
        read(bob, room=room, seq=1)
        mine = show(alice, "reads/")
        assert (mine["next"], mine["previous"]) == (None, None)
        assert [(each["room"], each["user_id"]) for each in mine["results"]] == [
            (room, alice.id),
            (other, alice.id),
        ]
        assert [each["message"] for each in mine["results"]] == [message["id"], None]
        assert mine["results"][1]["read_at"] is None

    def test_of_a_room_are_listed_to_its_members(self, read, show, send, alice, bob, room):
        send(alice, room)
        read(bob, room=room, seq=1)
        told = show(alice, f"reads/?room={room}")["results"]
        assert told == show(bob, f"reads/?room={room}")["results"]
        assert [(each["user_id"], each["seq"]) for each in told] == [(alice.id, 1), (bob.id, 1)]

    def test_of_who_left_are_none(self, api, refusal, show, alice, bob, room):
        marker = Member.objects.get(room_id=room, user_id=bob.id).pk
        remove_member(room_id=room, user_id=bob.id)
        told = show(alice, f"reads/?room={room}")["results"]
        assert [each["user_id"] for each in told] == [alice.id]
        assert show(bob, "reads/")["results"] == []
        for path in (f"reads/?room={room}", f"reads/{marker}/"):
            refusal(api.get(path, token=bob.token), 404, "not_found")
        refusal(api.get(f"reads/{marker}/", token=alice.token), 404, "not_found")

    def test_are_not_there_for_a_stranger(self, api, refusal, carol, room):
        marker = Member.objects.filter(room_id=room).first().pk
        for path in (
            *(f"reads/?room={room}", "reads/?room=0", f"reads/?room={2**63}"),
            *(f"reads/{marker}/", "reads/0/", f"reads/{2**63}/", f"reads/{10**30}/"),
        ):
            refusal(api.get(path, token=carol.token), 404, "not_found")

    def test_do_not_name_a_message_one_may_not_see(self, show, send, alice, bob, room):
        message = send(alice, room)
        remove_member(room_id=room, user_id=bob.id)
        add_member(room_id=room, user_id=bob.id)
        path = f"reads/?room={room}"
        assert [each["message"] for each in show(alice, path)["results"]] == [message["id"]] * 2
        assert [each["message"] for each in show(bob, path)["results"]] == [None, None]

    def test_are_covered_by_following_the_links(self, show, make_person, open_room, alice):
        rooms = [open_room(alice, make_person("friend")) for _ in range(5)]
        page = show(alice, "reads/?page_size=2")
        found = page["results"]
        while page["next"]:
            page = show(alice, page["next"])
            found += page["results"]
        assert [each["room"] for each in found] == rooms

    @pytest.mark.parametrize("cursor", ["p=x", "p=-1", "p=99999999999999999999", "o=x", "p=\0"])
    def test_refuse_a_cursor_they_never_gave(self, api, refusal, alice, room, cursor):
        given = quote(b64encode(cursor.encode("latin-1")).decode())
        refusal(api.get(f"reads/?cursor={given}", token=alice.token), 400, "invalid")

    def test_must_be_asked_for_properly(self, api, refusal, alice):
        refusal(api.get("reads/?room=x", token=alice.token), 400, "invalid")


class TestUnread:
    def test_is_what_others_have_written(self, show, send, open_room, alice, bob, carol, room):
        other = open_room(bob, carol)
        open_room(bob, alice)
        for _ in range(2):
            last = send(alice, room)
        newest = send(carol, other)
        send(bob, other)
        own = Message.objects.get(room_id=other, seq=2)
        told = show(bob, "unread/")
        assert (told["total"], told["mentions"]) == (3, 0)
        assert [(each["room"], each["unread_count"]) for each in told["rooms"]] == [
            (other, 1),
            (room, 2),
        ]
        assert [each["last_message"]["id"] for each in told["rooms"]] == [own.pk, last["id"]]
        assert newest["seq"] == 1

    def test_of_nothing_is_nothing(self, show, make_person, alice, room, send):
        assert show(make_person(known=False), "unread/") == {"total": 0, "mentions": 0, "rooms": []}
        send(alice, room)
        assert show(alice, "unread/")["rooms"] == []

    def test_ends_with_reading_and_with_leaving(self, show, send, read, alice, bob, room):
        send(alice, room)
        assert show(bob, "unread/")["total"] == 1
        read(bob, room=room, seq=1)
        assert show(bob, "unread/")["total"] == 0
        send(alice, room)
        remove_member(room_id=room, user_id=bob.id)
        assert show(bob, "unread/")["total"] == 0

    def test_is_as_much_as_the_rooms_say(self, api, show, send, alice, bob, room):
        ids = [send(alice, room)["id"] for _ in range(3)]
        api.send("DELETE", f"messages/{ids[0]}/", token=alice.token)
        [told] = show(bob, "unread/")["rooms"]
        shown = show(bob, f"rooms/{room}/")
        assert told["unread_count"] == shown["unread_count"] == 2
        assert told["last_message"] == shown["last_message"]

    def test_takes_as_many_queries_for_a_thousand_rooms(self, show, make_person, alice):
        person = make_person("busy")
        rooms = Room.objects.bulk_create(
            Room(room_type="group", created_by_id=alice.id, seq=1, pos=1) for _ in range(1_000)
        )
        for user_id in (alice.id, person.id):
            Member.objects.bulk_create(Member(room=each, user_id=user_id) for each in rooms)
        Message.objects.bulk_create(
            Message(
                room=each,
                seq=1,
                pos=1,
                created_pos=1,
                sender_id=alice.id,
                client_id=f"busy-{each.pk}",
                request_hash=b"",
                content="x",
                timestamp=each.created_at,
            )
            for each in rooms
        )
        with CaptureQueriesContext(connection) as queries:
            assert show(person, "unread/")["total"] == 1_000
        assert len(queries) == 2


class TestProfiles:
    def test_are_of_the_people_that_are_known(self, show, alice, bob, carol):
        told = show(carol, f"profiles/?user_ids={bob.id},nobody,{alice.id},{bob.id}")
        assert told == {
            "next": None,
            "previous": None,
            "results": [
                {
                    "user_id": person.id,
                    "username": person.username,
                    "display_name": name,
                    "avatar": None,
                }
                for person, name in sorted(
                    [(alice, "Alice"), (bob, "Bob")], key=lambda it: it[0].id
                )
            ],
        }

    def test_are_a_hundred_at_most(self, api, show, refusal, alice):
        ids = ",".join([alice.id, *(f"nobody-{number}" for number in range(99))])
        assert len(show(alice, f"profiles/?user_ids={ids}")["results"]) == 1
        answer = api.get(f"profiles/?user_ids={ids},one-more", token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "user_ids"

    @pytest.mark.parametrize("query", ["", "user_ids=", "user_ids=,", "user_ids=a b", "user_ids=é"])
    def test_must_be_asked_for_properly(self, api, refusal, alice, query):
        refusal(api.get(f"profiles/?{query}", token=alice.token), 400, "invalid")

    def test_need_a_token(self, api, refusal, alice):
        refusal(api.get(f"profiles/?user_ids={alice.id}"), 401, "not_authenticated")
        assert Profile.objects.filter(pk=alice.id).exists()
