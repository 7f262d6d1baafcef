"""Adding people to rooms and removing them: one change of the room each, told to the right ones."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.actions.members import add_member, remove_member
from messaging.actions.writer import Sent
from messaging.errors import NotFound, Unavailable
from messaging.events import room_channel, user_channel
from messaging.models import Member, Message, Profile, Room
from messaging.queries.rooms import show_rooms
from messaging_service.tests.actions.stage import Sender, code, new_people
from messaging_service.tests.telling import told_on


@pytest.fixture
def newcomer() -> str:
    return new_people(1)[0]


def member(room: int, user_id: str) -> Member:
    return Member.objects.get(room_id=room, user_id=user_id)


def numbers(found: Member) -> dict[str, int | None]:
    names = ("pos", "joined_pos", "left_pos", "visible_from_seq", "last_read_seq", "user_pos")
    return {name: getattr(found, name) for name in (*names, "added_user_pos")}


class TestAddMember:
    def test_begins_where_the_room_stands(
        self, sender: Sender, room: int, people: list[str], newcomer: str
    ) -> None:
        for number in range(3):
            sender.sent(room, people[0], str(number))
        add_member(room_id=room, user_id=newcomer)
        assert numbers(member(room, newcomer)) == {
            "pos": 4,
            "joined_pos": 4,
            "left_pos": None,
            "visible_from_seq": 4,
            "last_read_seq": 3,
            "user_pos": 1,
            "added_user_pos": 1,
        }
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (3, 4)
        assert Profile.objects.get(pk=newcomer).pos == 1
        sent = sender.sent(room, newcomer, "hello")
        assert (sent.row.seq, sent.row.pos) == (4, 5)

    def test_is_told_in_the_room(self, room: int, newcomer: str) -> None:
        told = told_on(room_channel(room), lambda: add_member(room_id=room, user_id=newcomer))
        joined = {
            "type": "member.joined",
            "room": room,
            "pos": 1,
            "user_id": newcomer,
            "username": f"user-{newcomer}",
            "role": "member",
        }
        assert told == [(1, joined)]

    def test_is_told_to_who_was_added_with_nothing_that_depends_on_who_looks(
        self, sender: Sender, room: int, people: list[str], newcomer: str
    ) -> None:
        sender.sent(room, people[0], "not for the newcomer")
        [(pos, told)] = told_on(
            user_channel(newcomer), lambda: add_member(room_id=room, user_id=newcomer)
        )
        assert pos == 1
        assert (told.pop("type"), told.pop("user_pos"), told.pop("room")) == ("room.added", 1, room)
        [shown] = show_rooms([Room.objects.get(pk=room)], user_id=newcomer)
        assert told == {
            name: value
            for name, value in shown.items()
            if name not in {"unread_count", "last_read_seq", "role"}
        }
        assert (told["last_message"], told["pos"], told["participants_count"]) == (None, 2, 3)

    def test_of_a_member_changes_nothing(self, room: int, people: list[str]) -> None:
        before = numbers(member(room, people[0]))
        for channel in (room_channel(room), user_channel(people[0])):
            assert told_on(channel, lambda: add_member(room_id=room, user_id=people[0])) == []
        assert numbers(member(room, people[0])) == before
        assert Room.objects.get(pk=room).pos == 0

    def test_of_who_was_one_shows_only_what_comes_from_then_on(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        sender.sent(room, people[0], "before")
        remove_member(room_id=room, user_id=people[1])
        sender.sent(room, people[0], "between")
        first = member(room, people[1]).pk
        add_member(room_id=room, user_id=people[1])
        again = member(room, people[1])
        assert again.pk == first
        expected = {"pos": 4, "joined_pos": 4, "left_pos": None, "visible_from_seq": 3}
        assert numbers(again).items() >= (expected | {"last_read_seq": 2}).items()

    def test_of_nobody_is_not_found(self, room: int, newcomer: str) -> None:
        for room_id, user_id in ((room, "nobody"), (0, newcomer), (2**63, newcomer)):
            with pytest.raises(NotFound):
                add_member(room_id=room_id, user_id=user_id)
        assert Room.objects.get(pk=room).pos == 0
        assert Profile.objects.get(pk=newcomer).pos == 0

    def test_gives_way_to_who_holds_the_room(
        self, hold: Callable[..., Any], room: int, newcomer: str
    ) -> None:
        link = hold(room)
        with pytest.raises(Unavailable):
            add_member(room_id=room, user_id=newcomer)
        link.rollback()
        assert not Member.objects.filter(room_id=room, user_id=newcomer).exists()
        assert Profile.objects.get(pk=newcomer).pos == 0


class TestRemoveMember:
    def test_is_the_last_change_he_may_see(
        self, sender: Sender, room: int, people: list[str]
    ) -> None:
        sender.sent(room, people[0], "x")
        remove_member(room_id=room, user_id=people[1])
        assert numbers(member(room, people[1])).items() >= {"pos": 2, "left_pos": 2}.items()
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (1, 2)

    def test_is_told_in_the_room(self, room: int, people: list[str]) -> None:
        told = told_on(room_channel(room), lambda: remove_member(room_id=room, user_id=people[1]))
        [(pos, left)] = told
        expected = ("member.left", 1, people[1])
        assert (left["type"], left["pos"], left["user_id"]) == expected
        assert pos == 1

    def test_of_who_is_no_member_is_not_found(
        self, room: int, people: list[str], newcomer: str
    ) -> None:
        remove_member(room_id=room, user_id=people[1])

        def again() -> None:
            for user_id in (people[1], newcomer, "nobody"):
                with pytest.raises(NotFound):
                    remove_member(room_id=room, user_id=user_id)

        assert told_on(room_channel(room), again) == []
        assert Room.objects.get(pk=room).pos == 1
        assert member(room, people[1]).left_pos == 1

    def test_refuses_his_next_send(self, sender: Sender, room: int, people: list[str]) -> None:
        remove_member(room_id=room, user_id=people[1])
        assert code(sender.send(room, people[1], "let me in").result(10)) == "not_found"
        add_member(room_id=room, user_id=people[1])
        assert sender.sent(room, people[1], "thank you").row.seq == 1


class TestChangesAtOnce:
    def test_add_somebody_once(self, together: Any, room: int, newcomer: str) -> None:
        together(8, lambda _: add_member(room_id=room, user_id=newcomer))
        assert Member.objects.filter(room_id=room, user_id=newcomer).count() == 1
        assert Room.objects.get(pk=room).pos == 1
        assert Profile.objects.get(pk=newcomer).pos == 1

    def test_let_nothing_in_after_a_removal(
        self, together: Any, sender: Sender, room: int, people: list[str]
    ) -> None:
        def act(number: int) -> Any:
            if number == 0:
                return remove_member(room_id=room, user_id=people[1])
            answers = [sender.send(room, people[1], f"{number}.{n}") for n in range(40)]
            return [answer.result(10) for answer in answers]

        outcomes = [outcome for each in together(4, act)[1:] for outcome in each]
        left_pos = member(room, people[1]).left_pos
        assert left_pos is not None
        sent = [outcome for outcome in outcomes if isinstance(outcome, Sent)]
        assert {code(each) for each in outcomes} <= {"sent", "not_found"}
        places = sorted(Message.objects.filter(room_id=room).values_list("pos", flat=True))
        assert places == sorted(each.row.pos for each in sent)
        assert places == list(range(1, left_pos))
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (left_pos - 1, left_pos)

    def test_have_places_of_their_own(
        self, together: Any, sender: Sender, room: int, people: list[str]
    ) -> None:
        newcomers = new_people(4)

        def act(number: int) -> None:
            if number < 4:
                add_member(room_id=room, user_id=newcomers[number])
            else:
                sender.sent(room, people[0], "x")

        together(8, act)
        joined = Member.objects.filter(room_id=room, user_id__in=newcomers)
        places = [*joined.values_list("pos", flat=True)]
        places += Message.objects.filter(room_id=room).values_list("pos", flat=True)
        assert sorted(places) == list(range(1, 9))
        for one in joined:
            before = Message.objects.filter(room_id=room, pos__lt=one.joined_pos).count()
            assert (one.last_read_seq, one.visible_from_seq) == (before, before + 1)
