from dataclasses import dataclass

import pytest

from messaging.errors import NotFound
from messaging.models import Member
from messaging.permissions import member_of, refusal_to_send


@dataclass
class Standing:
    left_pos: int | None = None


class TestMemberOf:
    def test_gives_the_membership_with_its_room(self, alice, room, django_assert_num_queries):
        with django_assert_num_queries(1):
            member = member_of(user_id=alice.id, room_id=room)
            assert (member.user_id, member.room.pk) == (alice.id, room)

    def test_tells_a_stranger_what_it_tells_of_no_room(self, carol, room):
        told = []
        for room_id in (room, 999_999_999):
            with pytest.raises(NotFound) as caught:
                member_of(user_id=carol.id, room_id=room_id)
            told.append((caught.value.code, caught.value.detail, caught.value.errors))
        assert told[0] == told[1]

    @pytest.mark.parametrize("room_id", [0, -1, 2**63, 10**400, -(2**63)])
    def test_asks_nobody_for_what_is_no_id(self, alice, room_id, django_assert_num_queries):
        with django_assert_num_queries(0), pytest.raises(NotFound):
            member_of(user_id=alice.id, room_id=room_id)

    @pytest.mark.parametrize("left_pos", [0, 1, 99])
    def test_knows_nobody_who_left(self, alice, room, left_pos):
        Member.objects.filter(user_id=alice.id, room_id=room).update(left_pos=left_pos)
        with pytest.raises(NotFound):
            member_of(user_id=alice.id, room_id=room)


class TestRefusalToSend:
    def test_is_none_for_a_member(self):
        assert refusal_to_send(Standing()) is None

    @pytest.mark.parametrize("member", [None, Standing(left_pos=0), Standing(left_pos=5)])
    def test_tells_a_stranger_nothing(self, member):
        refusal = refusal_to_send(member)
        assert (refusal.status, refusal.code) == (404, "not_found")
