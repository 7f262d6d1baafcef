"""Every close code of the protocol, produced once through the gateway."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from e2e.asyncapi import DOCUMENT, document
from e2e.codes.sockets import counted, ending, expired, listening_on, opened
from e2e.faults import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Person
    from local.stack import Stack

COMMAND_BURST: Final = 40
VIOLATIONS: Final = 10
SOCKETS: Final = 20
FRAME_BYTES: Final = 64 * 1024
# Of a frame that is so large, masked.
HEAD_BYTES: Final = 14
# More than the sockets' buffers on the way and the megabyte the service keeps.
LARGE: Final = "👋" * 4_000
MANY: Final = 1_000
LOOK_AFTER: Final = 10


class TestCloseCode:
    """Each has a class below, which has it produced."""

    def test_is_produced_here(self) -> None:
        documented = document()["servers"]["gateway"]["x-close-codes"]
        classes = {name.removeprefix("TestClose") for name in globals() if "TestClose" in name}
        assert classes - {"Code"} == documented.keys()

    def test_is_in_the_guide(self) -> None:
        guide = (DOCUMENT.parent / "protocol.md").read_text()
        (table,) = re.findall(r"### How it closes\n(.*?)\n#", guide, re.DOTALL)
        rows = re.findall(r"^\| (\d[\d, ]*) \|", table, re.MULTILINE)
        codes = {code for row in rows for code in row.split(", ")}
        # Nobody says 1006: it is what a client calls a connection that was cut.
        assert codes - {"1006"} == document()["servers"]["gateway"]["x-close-codes"].keys()


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
    def test_is_for_who_does_not_read(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        """He reads on as soon as he is given up: later he would be cut."""
        deaf: dict[str, Any] = {"max_queue": 1, "ping_interval": None}
        processes = [counted(stack, number) for number in (1, 2)]
        with opened(bob, f"/ws/chat/{room}/", **deaf) as ear:
            for number in range(1, MANY):
                last = alice.sends(room, LARGE)
                if number % LOOK_AFTER == 0 and any(
                    process("parley_sockets_given_up_total") for process in processes
                ):
                    break
            assert ending(ear) == (4408, "too slow")
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
            # Its head says so; what came after that nobody would read, and it would cut the line.
            frame = Frame(Opcode.TEXT, bytes(FRAME_BYTES + 1)).serialize(mask=True)
            ear.socket.socket.sendall(frame[:HEAD_BYTES])
            assert ending(ear)[0] == 1009
        assert bob.history(room) == []


class TestClose1001:
    def test_answers_whoever_says_it(self, stack: Stack, alice: Person, room: int) -> None:
        processes = [counted(stack, number) for number in (1, 2)]
        with alice.listens(room) as ear:
            ear.socket.close(1001, "I am leaving")
            assert ending(ear)[0] == 1001
        deadline = time.monotonic() + 3
        while not any(each("parley_sockets_closed_total", "1001") for each in processes):
            assert time.monotonic() < deadline


class TestClose1011:
    """A column is gone for a moment: a failure that nothing in the service expects."""

    def test_is_for_entering_where_something_fails(
        self, stack: Stack, alice: Person, room: int
    ) -> None:
        with broken(stack), opened(alice, f"/ws/chat/{room}/") as ear:
            assert ending(ear) == (1011, "")
        with alice.listens(room):
            pass

    def test_is_for_a_catch_up_that_fails(
        self, stack: Stack, alice: Person, bob: Person, room: int
    ) -> None:
        with alice.listens(room) as ear, bob.listens(room) as other:
            with broken(stack):
                ear.says(type="sync", after=0)
                assert ending(ear) == (1011, "")
            sent = alice.sends(room, "whoever asked for nothing goes on")
            assert other.hears_first("message") == {"type": "message"} | sent


@contextmanager
def broken(stack: Stack) -> Iterator[None]:
    rename = "ALTER TABLE rooms RENAME COLUMN {} TO {}"
    with closing(stack.postgres.connect("messaging")) as link, link.cursor() as cursor:
        cursor.execute(rename.format("pos", "broken"))
        try:
            yield
        finally:
            cursor.execute(rename.format("broken", "pos"))


class TestClose1012:
    @pytest.mark.parametrize("number", [1, 2])
    def test_is_for_a_restart(self, stack: Stack, alice: Person, room: int, number: int) -> None:
        with listening_on(stack, number, alice, room) as ear:
            stack.process(f"messaging_sockets-{number}").ask_to_stop()
            assert ending(ear)[0] == 1012
        stack.restart(f"messaging_sockets-{number}")


class TestClose1013:
    def test_is_for_a_store_that_is_away(self, stack: Stack, alice: Person, room: int) -> None:
        with frozen(stack, "postgres"), opened(alice, f"/ws/chat/{room}/") as ear:
            began = time.monotonic()
            assert ending(ear)[0] == 1013
            assert time.monotonic() - began < 6
        with alice.listens(room):
            pass
