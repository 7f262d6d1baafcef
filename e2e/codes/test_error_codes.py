"""Every error code of the protocol, produced once through the gateway."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from e2e.asyncapi import document
from e2e.codes.sockets import expired, listening_on
from e2e.faults import frozen, rewired
from e2e.proxy import Proxy
from service_kit.codes import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.people import Person
    from local.stack import Stack

COMMAND_BURST: Final = 40

# What no part that is built can answer with, and why.
NOT_YET: Final = {
    "mfa_required": "there is no second factor",
    "slow_mode": "groups have it",
    "muted": "groups have it",
    "banned": "groups have it",
    "read_only": "groups have it",
    "room_full": "groups have it",
    "room_archived": "nothing can be archived",
    "direct_room": "there is no leaving",
    "last_owner": "groups have it",
    "ai_not_configured": "there is no assistant",
}
# What refusals leave behind: what they are about, and what was stored though nobody could say so.
LEFT: Final = {"mine", "one", "", "lost on its way"}


def of_invalid(alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="message", content="")


def of_unknown_command(alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="message.forget", id=1)


def of_not_found(carol: Person, room: int, **_: Any) -> Any:
    return over_http(carol, "POST", f"/api/chat/rooms/{room}/messages/", json={"content": "Hello"})


def of_forbidden(alice: Person, bob: Person, room: int, **_: Any) -> Any:
    sent = alice.sends(room, "mine")
    return told(bob, room, type="message.edit", id=sent["id"], content="mine now")


def of_blocked(alice: Person, bob: Person, room: int, **_: Any) -> Any:
    bob.http.post("/api/chat/blocks/", json={"username": alice.username}).raise_for_status()
    return told(alice, room, type="message", content="Hello")


def of_contacts_only(stack: Stack, alice: Person, room: int, **_: Any) -> Any:
    with (
        rewired(stack, "messaging_sockets-1", DIRECT_MESSAGES="contacts"),
        listening_on(stack, 1, alice, room) as ear,
    ):
        ear.says(type="message", content="Hello", ref="1")
        return ear.hears_first("error")


def of_conflict(alice: Person, room: int, **_: Any) -> Any:
    sent = alice.sends(room, "mine")
    with alice.listens(room) as ear:
        ear.says(type="message.delete", id=sent["id"], ref="1")
        ear.hears_first("ack")
    return told(alice, room, type="message.edit", id=sent["id"], content="back")


def of_client_id_reused(alice: Person, room: int, **_: Any) -> Any:
    client_id = uuid.uuid4().hex
    alice.sends(room, "one", client_id=client_id)
    return told(alice, room, type="message", content="another", client_id=client_id)


def of_rate_limited(alice: Person, room: int, **_: Any) -> Any:
    with alice.listens(room) as ear:
        for _number in range(COMMAND_BURST + 3):
            ear.says(type="ping")
        return ear.hears_first("error")


def of_not_authenticated(alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="auth", token="no.token.atall")


def of_token_expired(stack: Stack, alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="auth", token=expired(stack, alice))


def of_unavailable(stack: Stack, alice: Person, room: int, **_: Any) -> Any:
    with alice.listens(room) as ear, frozen(stack, "postgres"):
        ear.says(type="message", content="Is anybody there?", ref="1")
        frame = ear.hears_first("error")
    assert frame["retry_after"]
    # Which of the two is a matter of the moment: nothing was done, or nobody can tell.
    return frame | {"code": "unavailable"} if frame["code"] == "outcome_unknown" else frame


def of_outcome_unknown(stack: Stack, alice: Person, room: int, **_: Any) -> Any:
    """The answer to COMMIT is lost, and nobody can be asked; whoever repeats it learns the rest."""
    send = {"type": "message", "content": "lost on its way", "client_id": uuid.uuid4().hex}
    with (
        closing(Proxy(stack.postgres.port, mark=send["content"].encode())) as proxy,
        rewired(stack, "messaging_sockets-1", DB_PORT=str(proxy.port)),
        listening_on(stack, 1, alice, room) as ear,
    ):
        proxy.lose_next, proxy.refuse_after_loss = "reply", True
        ear.says(**send, ref="lost")
        frame = ear.hears_first("error")
        proxy.heal()
        assert (frame["ref"], proxy.losses) == ("lost", 1)
        ear.says(**send, ref="again")
        assert ear.hears_first("ack")["duplicate"]
    return frame


def of_session_revoked(alice: Person, **_: Any) -> Any:
    alice.http.post("/api/auth/logout/")
    return over_http(alice, "GET", "/api/auth/me/")


def of_method_not_allowed(alice: Person, **_: Any) -> Any:
    return over_http(alice, "DELETE", "/api/chat/rooms/")


def of_too_large(alice: Person, room: int, **_: Any) -> Any:
    path = f"/api/chat/rooms/{room}/messages/"
    return over_http(alice, "POST", path, json={"content": "x" * 70_000})


def of_unsupported_media_type(alice: Person, room: int, **_: Any) -> Any:
    path = f"/api/chat/rooms/{room}/messages/"
    kind = {"Content-Type": "text/plain"}
    return over_http(alice, "POST", path, content=b"Hello", headers=kind)


ERRORS: Final[dict[str, Callable[..., Any]]] = {
    name.removeprefix("of_"): function
    for name, function in list(globals().items())
    if name.startswith("of_")
}


class TestErrorCode:
    def test_is_produced_here_or_known_not_to_be(self) -> None:
        assert ERRORS.keys() | NOT_YET.keys() == STATUS.keys()
        assert not ERRORS.keys() & NOT_YET.keys()

    def test_is_documented(self) -> None:
        assert set(document()["components"]["schemas"]["Code"]["enum"]) == STATUS.keys()

    @pytest.mark.parametrize("code", sorted(ERRORS))
    def test_comes_through(
        self, stack: Stack, alice: Person, bob: Person, carol: Person, room: int, code: str
    ) -> None:
        before = alice.history(room)
        answer = ERRORS[code](stack=stack, alice=alice, bob=bob, carol=carol, room=room)
        assert answer["code"] == code
        assert answer["detail"] or answer.get("title")
        after = [row for row in bob.history(room) if row["content"] not in LEFT]
        assert after == before


def told(person: Person, room: int, **command: Any) -> Any:
    """What a command over a socket is refused with; the socket stays."""
    with person.listens(room) as ear:
        ear.says(ref="refused", **command)
        frame = ear.hears_first("error")
        assert frame["ref"] == "refused"
        ear.says(type="ping")
        ear.hears_first("pong")
    return frame


def over_http(person: Person, method: str, path: str, **request: Any) -> Any:
    answer = person.http.request(method, path, **request)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert answer.status_code == problem["status"] == STATUS[problem["code"]]
    return problem
