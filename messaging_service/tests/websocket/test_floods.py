"""What uvicorn answers and keeps by itself has an end too."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.overload.wire import CONTINUATION, LAST, PING, PONG, TEXT, frame, handshake, head
from local.ports import LOOPBACK
from messaging.websocket.protocol import MOST_A_SECOND, TOO_FAST

KIB = 1024
TOO_MANY = 4 * MOST_A_SECOND
PING_FRAME = frame(PING, b"?" * 125)
# What the kernel holds for a client that does not read is less.
UNREAD_BYTES = 24 * KIB * KIB
MOST_MEMORY = 6 * KIB * KIB
SECONDS = 10.0

pytestmark = pytest.mark.usefixtures("_uvicorn")


@pytest.fixture
def _uvicorn(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--socket-server") != "uvicorn":
        pytest.skip("Daphne has a protocol of its own.")


class Link:
    """A client that does what it should not."""

    def __init__(self, port: int, token: str, *, takes: int | None = None) -> None:
        self._socket = socket.socket()
        if takes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        self._socket.settimeout(SECONDS)
        self._socket.connect((LOOPBACK, port))
        self._file = self._socket.makefile("rb")
        self.write(handshake("/ws/chat/", f"Authorization: Bearer {token}"))
        while self._file.readline() != b"\r\n":
            pass

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hear(self) -> tuple[int, bytes]:
        first, size = self._file.read(2)
        if size == 126:
            size = int.from_bytes(self._file.read(2), "big")
        return first & 0xF, self._file.read(size)

    def hears(self, opcode: int) -> bytes:
        """The next frame of this kind, past all others."""
        while (heard := self.hear())[0] != opcode:
            pass
        return heard[1]

    def closed(self) -> int:
        return int.from_bytes(self.hears(0x8)[:2], "big")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


Open = Callable[..., Link]


@pytest.fixture
def open_link(socket_server, alice) -> Iterator[Open]:
    opened: list[Link] = []

    def made(*, takes: int | None = None) -> Link:
        opened.append(Link(socket_server.port, alice.token, takes=takes))
        return opened[-1]

    yield made
    for link in opened:
        link.close()


class TestPings:
    @pytest.mark.parametrize("opcode", [PING, PONG])
    def test_too_many_close_a_socket(self, open_link: Open, opcode: int) -> None:
        link = open_link()
        link.write(frame(opcode, b"?") * TOO_MANY)
        assert link.closed() == TOO_FAST

    def test_many_are_answered(self, open_link: Open) -> None:
        link = open_link()
        for number in range(MOST_A_SECOND):
            link.write(frame(PING, str(number).encode()))
        assert [link.hears(PONG) for _ in range(MOST_A_SECOND)][-1] == b"%d" % (MOST_A_SECOND - 1)
        time.sleep(1)
        link.write(PING_FRAME)
        assert link.hears(PONG) == b"?" * 125

    def test_of_who_takes_no_answers_fill_no_memory(self, open_link: Open, socket_server) -> None:
        link, before = open_link(takes=4 * KIB), memory(socket_server)
        many = PING_FRAME * 1_000
        # The server has had enough before that.
        with suppress(ConnectionError):
            for _ in range(UNREAD_BYTES // len(many)):
                link.write(many)
        assert memory(socket_server) - before < MOST_MEMORY


class TestPieces:
    def test_too_many_close_a_socket(self, open_link: Open) -> None:
        link = open_link()
        link.write(head(TEXT, 0) + head(CONTINUATION, 0) * TOO_MANY)
        assert link.closed() == TOO_FAST

    def test_many_make_a_message(self, open_link: Open) -> None:
        link, text = open_link(), json.dumps({"type": "ping", "ref": "x" * 64}).encode()
        pieces = [head(CONTINUATION, 1) + text[n : n + 1] for n in range(len(text))]
        link.write(head(TEXT, 0) + b"".join(pieces) + head(CONTINUATION | LAST, 0))
        while (told := json.loads(link.hears(TEXT)))["type"] != "pong":
            pass
        assert told["ref"] == "x" * 64


def memory(server) -> int:
    """Bytes of this server in memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * KIB
