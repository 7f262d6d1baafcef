"""Every act through both doors: same row, same refusal, same event."""

from datetime import UTC, datetime

import pytest
from django.utils.timezone import now

from messaging.models import Member, Message, Room
from messaging_service.tests.doors import DOORS
from service_kit.testing import token_for

MESSAGE_FIELDS = {
    *("id", "room", "seq", "pos", "created_pos", "sender_id", "sender_username", "sender_name"),
    *("content", "message_type", "timestamp", "client_id", "reply_to", "thread_count"),
    *("forward_from", "mentions", "attachments", "location", "poll", "system", "reactions"),
    *("is_edited", "edited_at", "is_deleted", "deleted_at", "is_pinned", "pinned_at"),
}


def history_of(api, person, room):
    return api.show(person, f"rooms/{room}/messages/")["results"]


class TestSend:
    def test_is_told_to_both_as_it_was_acknowledged(self, door, enter, alice, bob, room):
        hearing = [enter(alice, room), enter(bob, room)]
        answer = door.send(alice, room, content="Hello from A", client_id="c-1")
        for socket in hearing:
            event = socket.expect("message")
            assert event.pop("type") == "message"
            assert event == answer.message

    def test_shows_in_history_and_room_as_it_was_acknowledged(self, door, api, alice, bob, room):
        message = door.send(alice, room, content="Hello from A").message
        assert history_of(api, bob, room) == [message]
        shown = api.get(f"rooms/{room}/", token=bob.token).json()
        assert shown["last_message"] == message
        assert (shown["seq"], shown["pos"], shown["messages_count"]) == (1, 1, 1)
        assert shown["last_activity"] == message["timestamp"]

    def test_answers_with_what_is_stored(self, door, alice, room):
        began = now()
        message = door.send(alice, room, content="Grüße 👋", client_id="one").message
        row = Message.objects.get(pk=message["id"])
        assert began <= row.timestamp <= now()
        moment = datetime.fromisoformat(message["timestamp"])
        assert (moment, message["timestamp"][-1]) == (row.timestamp.astimezone(UTC), "Z")
        assert (row.room_id, row.seq, row.pos, row.created_pos) == (room, 1, 1, 1)
        assert (row.sender_id, row.content, row.client_id) == (alice.id, "Grüße 👋", "one")
        assert message.keys() == MESSAGE_FIELDS
        assert (
            message
            | {
                "room": room,
                "seq": 1,
                "pos": 1,
                "created_pos": 1,
                "sender_id": alice.id,
                "sender_username": alice.username,
                "sender_name": "Alice",
                "content": "Grüße 👋",
                "message_type": "text",
                "client_id": "one",
                "reactions": [],
                "mentions": [],
                "is_edited": False,
                "is_deleted": False,
                "deleted_at": None,
            }
            == message
        )

    def test_gives_a_client_id_to_a_send_without_one(self, door, alice, room):
        first, second = (door.send(alice, room, content="same").message for _ in range(2))
        assert first["client_id"] != second["client_id"]
        assert (first["seq"], second["seq"]) == (1, 2)

    def test_ignores_unknown_fields(self, door, alice, room):
        answer = door.send(alice, room, content="x", seq=99, sender_id="1", from_the_future=[{}])
        assert (answer.message["seq"], answer.message["sender_id"]) == (1, alice.id)

    def test_takes_the_last_of_two_fields_of_one_name(self, door, alice, room):
        raw = b'{"type": "message", "ref": "r", "content": "first", "content": "last"}'
        assert door.send_raw(alice, room, raw).message["content"] == "last"

    def test_keeps_what_was_written_character_for_character(self, door, api, alice, room):
        for content in [
            "  padded\n",
            "<b>&amp;",
            "a\r\nb",
            "\u202eabc",
            "e\u0301",
            "\u200d",
            "\x7f",
        ]:
            assert door.send(alice, room, content=content).message["content"] == content
            assert history_of(api, alice, room)[-1]["content"] == content


class TestRepeatedSend:
    @pytest.mark.parametrize("again", sorted(DOORS))
    def test_gives_the_first_message_and_changes_nothing(
        self, door, api, enter, untouched, alice, room, again
    ):
        first = door.send(alice, room, content="once", client_id="a")
        with untouched():
            second = DOORS[again](api=api, enter=enter)
            answer = second.send(alice, room, content="once", client_id="a")
        assert (first.duplicate, answer.duplicate) == (False, True)
        assert answer.message == first.message

    def test_gives_the_message_as_it_is_now(self, door, alice, room):
        first = door.send(alice, room, content="before", client_id="a").message
        moment = now()
        Message.objects.filter(pk=first["id"]).update(content="after", edited_at=moment, pos=2)
        Room.objects.filter(pk=room).update(pos=2)
        again = door.send(alice, room, content="before", client_id="a")
        assert again.duplicate is True
        assert (again.message["content"], again.message["is_edited"]) == ("after", True)
        assert (again.message["pos"], again.message["created_pos"]) == (2, 1)

    def test_gives_the_tombstone_of_a_deleted_message(self, door, alice, room):
        first = door.send(alice, room, content="gone", client_id="a").message
        Message.objects.filter(pk=first["id"]).update(content="", deleted_at=now())
        again = door.send(alice, room, content="gone", client_id="a")
        assert (again.duplicate, again.message["is_deleted"]) == (True, True)
        assert again.message["content"] == ""

    def test_with_other_content_is_refused(self, door, untouched, alice, room):
        door.send(alice, room, content="one", client_id="a")
        with untouched():
            assert door.send(alice, room, content="two", client_id="a").code == "client_id_reused"

    def test_to_another_room_is_refused(self, door, untouched, open_room, alice, carol, room):
        other = open_room(alice, carol)
        door.send(alice, other, content="one", client_id="a")
        with untouched():
            assert door.send(alice, room, content="one", client_id="a").code == "client_id_reused"

    def test_by_another_person_is_a_message_of_its_own(self, door, alice, bob, room):
        first = door.send(alice, room, content="one", client_id="a")
        second = door.send(bob, room, content="one", client_id="a")
        assert second.duplicate is False
        assert second.message["id"] != first.message["id"]


class TestSendByAnOutsider:
    def test_is_refused_after_leaving(self, door, api, untouched, alice, bob, room):
        # His socket is open already: the refusal is the send's own.
        door.send(bob, room, content="still here")
        with untouched():
            Member.objects.filter(room_id=room, user_id=bob.id).update(left_pos=1)
            assert door.send(bob, room, content="let me in").code == "not_found"
            Member.objects.filter(room_id=room, user_id=bob.id).update(left_pos=None)

    def test_learns_nothing_from_a_client_id(self, door, alice, bob, room):
        door.send(bob, room, content="mine", client_id="a")
        Member.objects.filter(room_id=room, user_id=bob.id).update(left_pos=1)
        assert door.send(bob, room, content="mine", client_id="a").code == "not_found"


class TestPlaces:
    def test_are_one_order_whichever_door_was_used(self, api, enter, alice, bob, room):
        doors = [kind(api=api, enter=enter) for kind in DOORS.values()]
        hearing = enter(bob, room)
        sent = [doors[n % 2].send(alice, room, content=str(n)).message for n in range(10)]
        assert [message["seq"] for message in sent] == list(range(1, 11))
        assert [message["timestamp"] for message in sent] == sorted(m["timestamp"] for m in sent)
        assert [hearing.expect("message")["id"] for _ in sent] == [m["id"] for m in sent]
        assert history_of(api, bob, room) == sent

    def test_are_kept_apart_by_room(self, door, open_room, alice, carol, room):
        other = open_room(alice, carol)
        places = [door.send(alice, to, content="x").message["seq"] for to in (room, other, room)]
        assert places == [1, 1, 2]

    def test_belong_to_the_names_of_now(self, door, api, alice, bob, room):
        door.send(alice, room, content="x")
        renamed = token_for(alice.id, username="alicia", name="Alicia")
        assert api.get("rooms/", token=renamed).status_code == 200
        [shown] = history_of(api, bob, room)
        assert (shown["sender_username"], shown["sender_name"]) == ("alicia", "Alicia")
