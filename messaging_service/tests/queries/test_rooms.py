"""How far rooms have come, as the audit asks."""

from messaging.actions.messages import send_message
from messaging.models import Epoch
from messaging.queries.rooms import current_epoch, direct_room_of, moved_past, position_of
from messaging.serializers.messages import new_message


def send(person, room):
    message = new_message({"content": "x"}, room_id=room)
    send_message(sender_id=person.id, room_id=room, message=message)


class TestMovedPast:
    def test_names_the_rooms_that_have_gone_on(self, open_room, alice, carol, room):
        other = open_room(alice, carol)
        for place in (room, room, other):
            send(alice, place)
        assert moved_past({room: 1, other: 1}) == {room: 2}
        assert moved_past({room: 0, other: 0}) == {room: 2, other: 1}
        assert moved_past({room: 2, other: 99}) == {}

    def test_knows_no_room_that_is_not_there(self, room):
        assert moved_past({999_999_999: 0}) == {}
        assert moved_past({}) == {}


class TestPositionOf:
    def test_counts_the_changes_of_a_room(self, alice, room):
        assert position_of(room) == 0
        send(alice, room)
        assert position_of(room) == 1

    def test_is_0_where_there_is_no_room(self):
        assert position_of(999_999_999) == position_of(2**64) == 0


class TestDirectRoomOf:
    def test_finds_it_in_either_order(self, alice, bob, carol, room):
        for pair in ((alice.id, bob.id), (bob.id, alice.id)):
            assert direct_room_of(pair).pk == room
        assert direct_room_of((alice.id, carol.id)) is None


class TestCurrentEpoch:
    def test_is_the_one_row(self):
        assert current_epoch() == str(Epoch.objects.get().value)
