"""What changed in a room since a position, as a hub that missed something reads it."""

import orjson
import pytest
from django.utils.timezone import now

from messaging.actions.messages import send_message
from messaging.events import room_channel
from messaging.models import Member, Message, Profile, Room
from messaging.queries.changes import MOST_CHANGES, room_refill, rows
from messaging.serializers.messages import new_message


@pytest.fixture
def send(alice, room):
    def send(content="x"):
        message = new_message({"content": content}, room_id=room)
        return send_message(sender_id=alice.id, room_id=room, message=message)

    return send


class TestWhatARefillReads:
    def test_are_the_events_that_were_told(self, send, room):
        sent = [send(str(n)) for n in range(3)]
        changes = room_refill(room_id=room, after=0, user_ids=[])
        assert [event.text for event in changes.events] == [
            b'{"type":"message",' + each.text[1:] for each in sent
        ]
        assert (changes.pos, changes.more) == (3, False)
        assert [(event.channel, event.kind) for event in changes.events] == [
            (room_channel(room), "message")
        ] * 3

    @pytest.mark.parametrize("size", [1, 900, 1_500, 4_500, 10_000])
    def test_are_covered_exactly_once_in_pages(self, monkeypatch, send, room, size):
        monkeypatch.setattr(rows, "PAGE_BYTES", size)
        for _ in range(7):
            send()
        found, after, more = [], 0, True
        while more:
            assert len(found) <= 7, "it never ends"
            changes = room_refill(room_id=room, after=after, user_ids=[])
            assert sum(len(event.text) for event in changes.events[1:]) <= size
            assert changes.events or not changes.more
            found += [event.pos for event in changes.events]
            after, more = changes.pos, changes.more
        assert (found, after) == ([1, 2, 3, 4, 5, 6, 7], 7)

    def test_are_none_at_the_end_and_beyond_it(self, send, room):
        send()
        for after in (1, 2):
            changes = room_refill(room_id=room, after=after, user_ids=[])
            assert (changes.events, changes.pos, changes.more) == ([], 1, False)

    def test_are_none_of_an_empty_room(self, room):
        changes = room_refill(room_id=room, after=0, user_ids=[])
        assert (changes.events, changes.pos, changes.more) == ([], 0, False)

    def test_show_a_row_once_as_it_is_now_at_its_newest_place(self, send, room):
        for content in ("one", "two", "three"):
            send(content)
        Message.objects.filter(room_id=room, seq=1).update(content="1", edited_at=now(), pos=4)
        Room.objects.filter(pk=room).update(pos=4)
        changes = room_refill(room_id=room, after=0, user_ids=[])
        shown = [orjson.loads(event.text) for event in changes.events]
        assert [(each["pos"], each["content"]) for each in shown] == [
            (2, "two"),
            (3, "three"),
            (4, "1"),
        ]

    def test_are_all_of_very_many_memberships(self, room):
        many = range(1, MOST_CHANGES + 500)
        Profile.objects.bulk_create(Profile(user_id=f"{room}-{n}", username="x") for n in many)
        Member.objects.bulk_create(
            Member(room_id=room, user_id=f"{room}-{n}", pos=n, joined_pos=n) for n in many
        )
        Room.objects.filter(pk=room).update(pos=many[-1])
        first = room_refill(room_id=room, after=0, user_ids=[])
        second = room_refill(room_id=room, after=first.pos, user_ids=[])
        assert (first.more, second.more) == (True, False)
        assert [each.pos for each in (*first.events, *second.events)] == list(many)
