"""Two people become contacts, write to each other, and one of them has enough."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from e2e.people import Ear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Person


@contextmanager
def notified(person: Person) -> Iterator[Ear]:
    """Hear what is personal to somebody."""
    address = person.address.replace("http", "ws", 1)
    header = {"Authorization": f"Bearer {person.access}"}
    with connect(f"{address}/ws/notifications/", additional_headers=header) as socket:
        ear = Ear(socket)
        assert ear.hears()["type"] == "ready"
        yield ear


def asks(person: Person, method: str, path: str, **body: str) -> Any:
    answer = person.http.request(method, f"/api/chat/{path}", json=body or None)
    assert answer.status_code in {200, 201, 204}, answer.text
    return answer.json() if answer.content else None


def test_contacts_from_the_first_request_to_a_block(alice: Person, bob: Person) -> None:
    with notified(alice) as hers, notified(bob) as his:
        asked = asks(alice, "POST", "contacts/", username=bob.username)
        told = his.hears_first("me.changed")["contact"]
        assert (told["username"], told["direction"], told["state"]) == (
            alice.username,
            "incoming",
            "pending",
        )
        asks(bob, "POST", f"contacts/{told['id']}/accept/")
        assert hers.hears_first("me.changed")["contact"] == asked
        assert hers.hears_first("me.changed")["contact"] == asked | {"state": "accepted"}

        room = alice.opens_room_with(bob)
        with alice.listens(room) as mouth:
            mouth.says(type="message", content="Hello", ref="1")
            sent = mouth.hears_first("ack")["message"]
            asks(bob, "POST", "blocks/", username=alice.username)
            assert hers.hears_first("me.changed")["contact"]["state"] == "removed"
            mouth.says(type="message", content="Are you there?", ref="2")
            assert mouth.hears_first("error")["code"] == "blocked"
        for person, other in ((alice, bob), (bob, alice)):
            refused = person.http.post(
                "/api/chat/contacts/", json={"username": other.username}
            ).json()
            assert refused["code"] == "blocked"
            shown = person.http.get(f"/api/chat/presence/{other.user['id']}/")
            assert shown.status_code == 404
        assert bob.history(room) == [sent]

        asks(bob, "DELETE", f"blocks/{alice.user['id']}/")
        assert alice.sends(room, "There you are")["seq"] == 2
