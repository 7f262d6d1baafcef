"""Every error code and every close code of the protocol, produced once through the gateway."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from e2e.asyncapi import document
from e2e.people import Ear
from e2e.test_outages import frozen
from local.testing import isolated_stack
from service_kit.codes import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.people import Person
    from local.stack import Stack

COMMAND_BURST: Final = 40
VIOLATIONS: Final = 10
SOCKETS: Final = 20
FRAME_BYTES: Final = 64 * 1024
# More than the sockets' buffers on the way and the megabyte the service keeps.
LARGE: Final = "👋" * 4_000
MANY: Final = 700

# What no part that is built can answer with, and why.
NOT_YET: Final = {
    "mfa_required": "there is no second factor",
    "slow_mode": "groups have it",
    "blocked": "nobody can be blocked",
    "contacts_only": "there are no contacts",
    "muted": "groups have it",
    "banned": "groups have it",
    "read_only": "groups have it",
    "room_full": "groups have it",
    "room_archived": "nothing can be archived",
    "direct_room": "there is no leaving",
    "last_owner": "groups have it",
    "ai_not_configured": "there is no assistant",
}
# What is real, but needs a COMMIT whose answer is lost: messaging_service/tests/actions has it.
ELSEWHERE: Final = {"outcome_unknown"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run a system whose tokens are short, so that their sockets are told so soon."""
    settings = {"ACCESS_TOKEN_SECONDS": "62", "LIMIT_MESSAGE_BURST": str(2 * MANY)}
    with isolated_stack(settings=settings) as stack:
        yield stack


@pytest.fixture
def room(alice: Person, bob: Person) -> int:
    return alice.opens_room_with(bob)


# ---- error codes ---------------------------------------------------------------------------------


def of_invalid(alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="message", content="")


def of_unknown_command(alice: Person, room: int, **_: Any) -> Any:
    return told(alice, room, type="message.forget", id=1)


def of_not_found(carol: Person, room: int, **_: Any) -> Any:
    return over_http(carol, "POST", f"/api/chat/rooms/{room}/messages/", json={"content": "Hello"})


def of_forbidden(alice: Person, bob: Person, room: int, **_: Any) -> Any:
    sent = alice.sends(room, "mine")
    return told(bob, room, type="message.edit", id=sent["id"], content="mine now")


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
        assert ERRORS.keys() | NOT_YET.keys() | ELSEWHERE == STATUS.keys()
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
        after = [row for row in bob.history(room) if row["content"] not in {"mine", "one", ""}]
        assert after == before


# ---- close codes ---------------------------------------------------------------------------------


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


def expired(stack: Stack, person: Person) -> str:
    """The person's token, as it will be when it is over."""
    header = jwt.get_unverified_header(person.access)
    claims = jwt.decode(person.access, options={"verify_signature": False})
    key = (stack.home / "jwt-private-key.pem").read_bytes()
    times = {name: claims[name] - 3600 for name in ("iat", "nbf", "exp")}
    return jwt.encode(claims | times, key, algorithm=header["alg"], headers=header)


@contextmanager
def opened(person: Person, path: str, *, bearer: bool = True, **options: Any) -> Iterator[Ear]:
    base = person.address.replace("http", "ws", 1)
    header = {"Authorization": f"Bearer {person.access}"} if bearer else {}
    headers = header | options.pop("headers", {})
    with connect(base + path, additional_headers=headers, **options) as socket:
        yield Ear(socket)


def ending(ear: Ear) -> tuple[int, str]:
    """How the server closes, past everything it says before."""
    try:
        while True:
            ear.socket.recv(15)
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


class TestClose4400:
    @pytest.mark.parametrize("path", ["/ws/nowhere/", "/ws/chat/x/", "/ws/", "/ws/chat/1/2/"])
    def test_is_for_unknown_paths(self, alice: Person, path: str) -> None:
        with opened(alice, path) as ear:
            assert ending(ear)[0] == 4400

    def test_is_for_two_credentials(self, alice: Person, room: int) -> None:
        with opened(alice, f"/ws/chat/{room}/?token={alice.access}") as ear:
            assert ending(ear)[0] == 4400

    def test_is_for_a_token_s_subprotocol_alone(self, alice: Person, room: int) -> None:
        alone = [Subprotocol(f"bearer.{alice.access}")]
        with opened(alice, f"/ws/chat/{room}/", bearer=False, subprotocols=alone) as ear:
            assert ear.socket.subprotocol is None
            assert ending(ear)[0] == 4400


class TestClose4401:
    @pytest.mark.parametrize("path", ["/ws/chat/", "/ws/chat/{room}/", "/ws/notifications/"])
    @pytest.mark.parametrize("query", ["", "?token=no.token.atall", "?ticket=none"])
    def test_is_for_who_shows_nothing_good(
        self, alice: Person, room: int, path: str, query: str
    ) -> None:
        with opened(alice, path.format(room=room) + query, bearer=False) as ear:
            assert ending(ear)[0] == 4401

    def test_is_for_an_expired_token(self, stack: Stack, alice: Person, room: int) -> None:
        path = f"/ws/chat/{room}/?token={expired(stack, alice)}"
        with opened(alice, path, bearer=False) as ear:
            assert ending(ear)[0] == 4401

    def test_is_for_renewing_as_somebody_else(self, alice: Person, bob: Person, room: int) -> None:
        with alice.listens(room) as ear:
            ear.says(type="auth", token=bob.access)
            assert ending(ear)[0] == 4401


class TestClose4403:
    def test_is_for_strangers_and_for_rooms_that_are_not_there(
        self, carol: Person, room: int
    ) -> None:
        endings = []
        for path in (f"/ws/chat/{room}/", f"/ws/chat/{room + 1_000_000}/"):
            with opened(carol, path) as ear:
                endings.append(ending(ear))
        assert endings[0] == endings[1]
        assert endings[0][0] == 4403


class TestClose4408:
    def test_or_a_cut_is_for_who_does_not_read(self, alice: Person, bob: Person, room: int) -> None:
        deaf: dict[str, Any] = {"max_queue": 1, "ping_interval": None}
        with opened(bob, f"/ws/chat/{room}/", **deaf) as ear:
            last = [alice.sends(room, LARGE) for _ in range(MANY)][-1]
            assert last["seq"] == MANY
            assert ending(ear)[0] in {4408, 1006}
        assert bob.history(room)[-1] == last


class TestClose4429:
    def test_is_for_ten_violations_in_a_row(self, alice: Person, room: int) -> None:
        with alice.listens(room) as ear:
            for _ in range(COMMAND_BURST + VIOLATIONS + 20):
                ear.says(type="ping")
            code, reason = ending(ear)
        assert (code, reason == "replaced") == (4429, False)

    def test_is_for_the_oldest_of_too_many(self, alice: Person, room: int) -> None:
        with ExitStack() as opened_sockets:
            ears = [opened_sockets.enter_context(alice.listens(room)) for _ in range(SOCKETS + 1)]
            assert ending(ears[0]) == (4429, "replaced")
            ears[1].says(type="ping")
            assert ears[1].hears_first("pong")


class TestClose1009:
    def test_is_for_a_frame_that_is_too_large(self, alice: Person, bob: Person, room: int) -> None:
        with alice.listens(room) as ear:
            ear.says(type="ping", filler="x" * (FRAME_BYTES - 100))
            ear.hears_first("pong")
            ear.says(type="message", content="x" * FRAME_BYTES)
            assert ending(ear)[0] == 1009
        assert bob.history(room) == []


class TestClose1012:
    @pytest.mark.parametrize("number", [1, 2])
    def test_is_for_a_restart(self, stack: Stack, alice: Person, room: int, number: int) -> None:
        process = stack.process(f"messaging_sockets-{number}")
        with alice.listens(room, address=f"http://127.0.0.1:{process.port}") as ear:
            process.ask_to_stop()
            assert ending(ear)[0] == 1012
        stack.restart(process.name)


class TestClose1013:
    def test_is_for_a_store_that_is_away(self, stack: Stack, alice: Person, room: int) -> None:
        with frozen(stack, "postgres"), opened(alice, f"/ws/chat/{room}/") as ear:
            began = time.monotonic()
            assert ending(ear)[0] == 1013
            assert time.monotonic() - began < 6
        with alice.listens(room):
            pass


class TestRefusedUpgrade:
    def test_is_for_foreign_pages(self, stack: Stack, alice: Person, room: int) -> None:
        foreign: dict[str, Any] = {"headers": {"Origin": "https://elsewhere.example"}}
        with (
            pytest.raises(InvalidStatus) as refused,
            opened(alice, f"/ws/chat/{room}/", **foreign),
        ):
            pass
        assert refused.value.response.status_code == 403
        with opened(alice, f"/ws/chat/{room}/", headers={"Origin": stack.address}) as ear:
            assert ear.hears()["type"] == "ready"


class TestCredential:
    @pytest.mark.parametrize("path", ["/ws/chat/", "/ws/chat/{room}/", "/ws/notifications/"])
    def test_may_stand_in_any_of_four_places(self, alice: Person, room: int, path: str) -> None:
        where, token = path.format(room=room), alice.access
        ticket = alice.http.post("/api/chat/ws-ticket/").json()["ticket"]
        offered = [Subprotocol("parley.v1"), Subprotocol(f"bearer.{token}")]
        with opened(alice, where) as ear:
            assert ear.hears()["user_id"] == alice.user["id"]
        for query in (f"?ticket={ticket}", f"?token={token}"):
            with opened(alice, where + query, bearer=False) as ear:
                assert ear.hears()["user_id"] == alice.user["id"]
        with opened(alice, where, bearer=False, subprotocols=offered) as ear:
            assert ear.socket.subprotocol == "parley.v1"
            assert ear.hears()["user_id"] == alice.user["id"]


class TestExpiringSocket:
    def test_is_told_so_and_lives_on_with_a_new_token(self, alice: Person, room: int) -> None:
        with alice.listens(room) as ear:
            assert ear.hears_first("auth.expiring")["in"] <= 60
            answer = alice.http.post("/api/auth/refresh/", json={"refresh": alice.refresh})
            alice.signed_in(answer.json())
            ear.says(type="auth", token=alice.access, ref="longer")
            assert ear.hears_first("ack")["expires_at"]
            assert ear.hears_first("auth.expiring")["in"] <= 60
