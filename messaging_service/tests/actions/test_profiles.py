"""Names that tokens carry: kept, and told to who shares a room when they are other ones."""

from typing import Any

import pytest

from messaging.actions import profiles
from messaging.actions.members import remove_member
from messaging.actions.profiles import remember_caller
from messaging.events import PEOPLE_CHANNEL
from messaging.models import Profile
from messaging_service.tests.telling import told_on
from service_kit.testing import token_for
from service_kit.tokens import verify


@pytest.fixture
def remember() -> Any:
    """Let a token with these names be shown."""

    def remember(person: Any, username: str, name: str = "Somebody") -> list[Any]:
        claims = verify(token_for(person.id, username=username, name=name))
        told = told_on(PEOPLE_CHANNEL, lambda: remember_caller(claims=claims))
        # Others come and go meanwhile.
        return [each for each in told if each[1].get("user_id") == person.id]

    return remember


@pytest.fixture
def room(open_room: Any, alice: Any, bob: Any) -> int:
    """Not the writer's own."""
    opened: int = open_room(alice, bob)
    return opened


class TestANewName:
    def test_is_told_where_he_is(self, remember: Any, alice: Any, room: int) -> None:
        [(pos, told)] = remember(alice, "alicia", "Alicia")
        assert (pos, told) == (
            0,
            {
                "type": "user.changed",
                "user_id": alice.id,
                "username": "alicia",
                "display_name": "Alicia",
                "avatar": None,
            },
        )

    def test_is_heard_in_his_rooms(
        self, remember: Any, enter: Any, open_room: Any, alice: Any, bob: Any, carol: Any, room: int
    ) -> None:
        other = open_room(bob, carol)
        hearing, elsewhere = enter(bob, room), enter(bob, other)
        remember(alice, "alicia", "Alicia")
        assert hearing.expect("user.changed")["username"] == "alicia"
        assert elsewhere.ask({"type": "ping"})["type"] == "pong"
        assert "user.changed" not in [frame["type"] for frame in elsewhere.unheard]

    def test_may_be_a_display_name(self, remember: Any, alice: Any, room: int) -> None:
        [(_, told)] = remember(alice, alice.username, "Alicia")
        assert (told["username"], told["display_name"]) == (alice.username, "Alicia")

    def test_is_told_once(self, remember: Any, alice: Any, room: int) -> None:
        assert len(remember(alice, "alicia")) == 1
        assert remember(alice, "alicia") == []
        # Another process has not seen the token, and finds the name in the database.
        profiles._seen.clear()
        assert remember(alice, "alicia") == []

    def test_is_told_to_nobody_where_he_left(self, remember: Any, alice: Any, room: int) -> None:
        remove_member(room_id=room, user_id=alice.id)
        assert remember(alice, "alicia") == []
        assert Profile.objects.get(pk=alice.id).username == "alicia"


class TestSomebodyNew:
    def test_is_told_to_nobody(self, remember: Any, make_person: Any) -> None:
        person = make_person("dora", known=False)
        assert remember(person, "dora") == []
        assert Profile.objects.get(pk=person.id).username == "dora"
