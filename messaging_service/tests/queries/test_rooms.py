"""Which room is whose, and how far rooms and people have come, as the audit asks."""

from messaging.actions.messages import send_message
from messaging.models import Epoch, Profile
from messaging.queries.positions import current_epoch, people_elsewhere, rooms_elsewhere
from messaging.queries.rooms import direct_rooms_of
from messaging.serializers.messages import new_message


def send(person, room):
    message = new_message({"content": "x"}, room_id=room)
    send_message(sender_id=person.id, room_id=room, message=message)


class TestElsewhere:
    def test_are_the_rooms_at_another_position(self, open_room, alice, carol, room):
        other = open_room(alice, carol)
        for place in (room, room, other):
            send(alice, place)
        assert rooms_elsewhere({room: 1, other: 1}) == {room: 2}
        assert rooms_elsewhere({room: 0, other: 0}) == {room: 2, other: 1}
        assert rooms_elsewhere({room: 2, other: 99}) == {other: 1}

    def test_knows_no_room_that_is_not_there(self, room):
        assert rooms_elsewhere({999_999_999: 0}) == {}
        assert rooms_elsewhere({}) == {}

    def test_are_the_people_too(self, alice, bob):
        Profile.objects.filter(pk=alice.id).update(pos=3)
        asked = {alice.id: 2, bob.id: 0, "nobody": 5}
        assert people_elsewhere(asked) == {alice.id: 3}


class TestDirectRoomOf:
    def test_finds_it_in_either_order(self, alice, bob, carol, room):
        for pair in ((alice.id, bob.id), (bob.id, alice.id)):
            assert [found.pk for found in direct_rooms_of(pair)] == [room]
        assert not direct_rooms_of((alice.id, carol.id)).exists()


class TestCurrentEpoch:
    def test_is_the_one_row(self):
        assert current_epoch() == str(Epoch.objects.get().value)
