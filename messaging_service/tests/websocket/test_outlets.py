"""Outlets on the servers they are made for: exact frames, and no harm from who does not read."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from e2e.metrics import Counted
from local.ports import LOOPBACK, free_ports
from local.processes import Process

SERVICE = Path(__file__).resolve().parent.parent.parent
APPLICATION = "tests.websocket.outlet_app:application"
CUT_AFTER_SECONDS = 3.0
KIB = 1024
UVICORN = (
    *("uvicorn", APPLICATION, "--ws", "messaging.websocket.protocol:LimitedProtocol"),
    *("--loop", "uvloop"),
    *("--http", "httptools", "--ws-per-message-deflate", "false", "--ws-max-size", "65536"),
    *("--no-access-log", "--log-level", "warning", "--lifespan", "off", "--host", LOOPBACK),
)
DAPHNE = ("daphne", APPLICATION, "-b", LOOPBACK, "--verbosity", "0")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Process]]:
    """Uvicorn as `make run` starts it, and Daphne."""
    folder, ports = tmp_path_factory.mktemp("outlets"), free_ports(2)
    path = os.pathsep.join([str(SERVICE), str(SERVICE.parent / "shared"), str(SERVICE.parent)])
    made = {
        name: Process(
            name=name,
            command=(sys.executable, "-m", *command, flag, str(port)),
            folder=SERVICE,
            log=folder / f"{name}.log",
            port=port,
            environment={"PYTHONPATH": path, "CUT_AFTER_SECONDS": str(CUT_AFTER_SECONDS)},
        )
        for (name, command, flag), port in zip(
            [("uvicorn", UVICORN, "--port"), ("daphne", DAPHNE, "-p")], ports, strict=True
        )
    }
    try:
        for server in made.values():
            server.start()
        for server in made.values():
            server.wait_until(lambda server=server: listens(server), seconds=20)
        yield made
    finally:
        for server in made.values():
            server.stop()


def listens(server: Process) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, server.port or 0)) == 0


class Client:
    """A strict client that says what it wants to be sent."""

    def __init__(self, server: Process, path: str, *, receive_buffer: int | None = None) -> None:
        link = socket.socket()
        if receive_buffer:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        link.connect((LOOPBACK, server.port))
        self.link: ClientConnection = connect(
            f"ws://{LOOPBACK}:{server.port}{path}",
            sock=link,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_size=None,
            # It reads ahead of `recv` no further than this.
            max_queue=1,
            legacy=True,
        )

    def want(self, **wanted: Any) -> None:
        self.link.send(json.dumps(wanted))

    def hear(self, *, within: float = 5.0) -> str:
        return str(self.link.recv(within))

    def closed(self, *, within: float = 5.0) -> int:
        """The close code, after everything that came before it."""
        end = time.monotonic() + within
        while True:
            try:
                self.link.recv(max(0.0, end - time.monotonic()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


Open = Callable[..., Client]


@pytest.fixture
def open_client(servers: dict[str, Process]) -> Iterator[Open]:
    opened: list[Client] = []

    def made(server: str, path: str = "/", **options: Any) -> Client:
        opened.append(Client(servers[server], path, **options))
        return opened[-1]

    yield made
    for client in opened:
        client.link.socket.close()
        client.link.close()


WAYS = [("uvicorn", "/"), ("uvicorn", "/queued/"), ("daphne", "/")]
way = pytest.mark.parametrize(("server", "path"), WAYS)


class TestAnyOutlet:
    @pytest.mark.parametrize(
        ("server", "path", "kind"),
        [
            ("uvicorn", "/", "DirectOutlet"),
            ("uvicorn", "/queued/", "QueuedOutlet"),
            ("daphne", "/", "QueuedOutlet"),
        ],
    )
    def test_is_the_one_that_fits(
        self, open_client: Open, server: str, path: str, kind: str
    ) -> None:
        client = open_client(server, path)
        client.want(which=True)
        assert client.hear() == kind

    @way
    def test_sends_frames_of_every_length(self, open_client: Open, server: str, path: str) -> None:
        sizes = [1, 125, 126, 127, 65_535, 65_536, 70_000, 2]
        client = open_client(server, path)
        client.want(sizes=sizes)
        assert [len(client.hear()) for _ in sizes] == sizes

    @way
    def test_sends_any_text(self, open_client: Open, server: str, path: str) -> None:
        client = open_client(server, path)
        text = "é 👍 \u2028 \x00 <>"
        client.want(text=text)
        assert client.hear() == text

    @way
    def test_closes_after_what_was_sent_before(
        self, open_client: Open, server: str, path: str
    ) -> None:
        client = open_client(server, path)
        client.want(sizes=[10] * 200, close=4401)
        for _ in range(200):
            assert client.hear() == "x" * 10
        with pytest.raises(ConnectionClosed) as closed:
            client.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        # Daphne says no reasons.
        assert closed.value.rcvd.reason == ("" if server == "daphne" else "as you wished")

    def test_sends_empty_text(self, open_client: Open) -> None:
        client = open_client("uvicorn")
        client.want(sizes=[0, 3])
        assert [client.hear(), client.hear()] == ["", "xxx"]


def memory(server: Process) -> int:
    """Bytes of this server in memory."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * KIB


class TestASlowReader:
    FLOOD = 1_000

    @pytest.fixture
    def counted(self, servers: dict[str, Process]) -> Counted:
        return Counted(f"http://{LOOPBACK}:{servers['uvicorn'].port}/")

    @pytest.mark.parametrize("path", ["/", "/queued/"])
    def test_is_given_up_and_harms_nobody(
        self, open_client: Open, servers: dict[str, Process], counted: Counted, path: str
    ) -> None:
        other = open_client("uvicorn", path)
        slow = [open_client("uvicorn", path, receive_buffer=4 * KIB) for _ in range(4)]
        before = memory(servers["uvicorn"])
        for client in slow:
            client.want(flood=self.FLOOD, size=16 * KIB)
        times = []
        for n in range(100):
            start = time.monotonic()
            other.want(text=str(n))
            assert other.hear() == str(n)
            times.append(time.monotonic() - start)
            time.sleep(0.005)
        assert sorted(times)[98] < 0.1
        assert memory(servers["uvicorn"]) - before < (len(slow) * 2 + 8) * KIB * KIB
        assert {client.closed(within=5) for client in slow} == {4408}
        assert counted("parley_sockets_given_up_total") == len(slow)
        assert counted("parley_sockets_cut_total") == 0

    def test_that_never_reads_again_is_cut(
        self, open_client: Open, servers: dict[str, Process], counted: Counted
    ) -> None:
        client = open_client("uvicorn", receive_buffer=4 * KIB)
        client.want(flood=self.FLOOD, size=16 * KIB)
        assert is_open(servers["uvicorn"], client)
        wait_until(lambda: not is_open(servers["uvicorn"], client), CUT_AFTER_SECONDS + 3)
        assert counted("parley_sockets_given_up_total") == 1
        assert counted("parley_sockets_cut_total") == 1

    def test_that_is_told_little_is_cut_too(
        self, open_client: Open, servers: dict[str, Process]
    ) -> None:
        """Less than the limit waits, but nothing has been taken for ten seconds."""
        client = open_client("uvicorn", receive_buffer=4 * KIB)
        fill(servers["uvicorn"], client)
        assert is_open(servers["uvicorn"], client)
        wait_until(lambda: not is_open(servers["uvicorn"], client), 2 * CUT_AFTER_SECONDS + 3)

    def test_that_catches_up_is_kept(self, open_client: Open) -> None:
        client = open_client("uvicorn", receive_buffer=4 * KIB)
        client.want(flood=60, size=16 * KIB)
        time.sleep(0.5)
        assert {len(client.hear()) for _ in range(60)} == {16 * KIB}
        client.want(text="still here")
        assert client.hear() == "still here"


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def fill(server: Process, client: Client) -> None:
    """Send until the kernel takes no more, and a little that is less than the limit."""
    last = -1
    while last < (now := unsent(server, client)) or now < 1_000_000:
        last = now
        client.want(sizes=[16 * KIB] * 8)
        time.sleep(0.05)
    client.want(sizes=[16 * KIB] * 8)


def server_end(server: Process, client: Client) -> list[str]:
    """What the kernel says of the server's end of the connection; nothing if it is gone."""
    port = client.link.socket.getsockname()[1]
    wanted = [f"0100007F:{server.port:04X}", f"0100007F:{port:04X}"]
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return next((each for line in lines if (each := line.split())[1:3] == wanted), [])


def unsent(server: Process, client: Client) -> int:
    """Bytes in the kernel's send queue of the server's end."""
    return int(server_end(server, client)[4].partition(":")[0], 16)


def is_open(server: Process, client: Client) -> bool:
    established = "01"
    return server_end(server, client)[3:4] == [established]
