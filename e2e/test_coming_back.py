"""How the reference client comes back, with a server that ends each connection as it is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from e2e.asyncapi import document
from e2e.client import Client, Refused, Stopped
from e2e.watched import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from websockets.http11 import Request, Response

    from e2e.replica import Frame

    Play = Callable[[ServerConnection], Awaitable[None]]

READY: Frame = {
    "type": "ready",
    "protocol": "parley.v1",
    "user_id": "1",
    "session": "6b2b1bb5-5b8b-4d62-9c1f-0d3b1b8b7a12",
    "epoch": "6b2b1bb5-5b8b-4d62-9c1f-0d3b1b8b7a11",
    "user_pos": 3,
    "server_time": "2026-01-29T10:30:00.123456Z",
    "heartbeat": 25,
    "rooms": [],
    "more": False,
}
NO_ROOMS: Frame = {"results": [], "next": None, "previous": None}


class Server:
    """Plays its scenes to one connection after the other, and the last to all that follow."""

    def __init__(self, *scenes: Play) -> None:
        self._scenes = list(scenes)
        self.met = 0
        self.heard: list[Frame] = []
        self.renewed: list[bool] = []

    async def meet(self, socket: ServerConnection) -> None:
        self.met += 1
        scene = self._scenes.pop(0) if len(self._scenes) > 1 else self._scenes[0]
        await scene(socket)

    def answer_http(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path.startswith("/ws/"):
            return None
        return socket.respond(200, json.dumps(NO_ROOMS))

    async def token(self, renew: bool) -> str:  # noqa: FBT001 - as the client calls it.
        self.renewed.append(renew)
        return "new" if renew else "old"

    async def hear(self, socket: ServerConnection, kind: str) -> Frame:
        """Wait for the next command of a type."""
        while True:
            self.heard.append(json.loads(await socket.recv()))
            if self.heard[-1]["type"] == kind:
                return self.heard[-1]

    @asynccontextmanager
    async def address(self) -> AsyncIterator[str]:
        async with serve(self.meet, "localhost", 0, process_request=self.answer_http) as server:
            yield f"http://localhost:{next(iter(server.sockets)).getsockname()[1]}"

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Watched]:
        async with self.address() as address, Watched(address, self.token) as client:
            yield client


async def say(socket: ServerConnection, frame: Frame) -> None:
    await socket.send(json.dumps(frame))


async def stay(socket: ServerConnection) -> None:
    await say(socket, READY)
    await socket.wait_closed()


def closing(code: int, reason: str = "") -> Play:
    async def close(socket: ServerConnection) -> None:
        await socket.close(code, reason)

    return close


async def lose(socket: ServerConnection) -> None:
    await say(socket, READY)
    await socket.close(1012)


async def cut(socket: ServerConnection) -> None:
    socket.transport.abort()


class TestClose:
    @pytest.mark.parametrize(
        ("code", "reason"), [(4400, ""), (4403, ""), (1009, ""), (4429, "replaced")]
    )
    async def test_may_be_for_good(self, code: int, reason: str) -> None:
        server = Server(closing(code, reason), stay)
        async with server.client() as client:
            with pytest.raises(Stopped, match=str(code)):
                await client.until(client.ready.is_set)
        assert server.met == 1

    @pytest.mark.parametrize(
        "scene", [cut, *(closing(code) for code in (1000, 1001, 1011, 1012, 1013, 4408, 4429))]
    )
    async def test_is_come_back_from(self, scene: Play) -> None:
        server = Server(scene, scene, stay)
        async with server.client() as client:
            await client.until(client.ready.is_set)
        assert server.met == 3
        assert not any(server.renewed)

    async def test_for_an_old_token_is_come_back_from_with_a_new_one(self) -> None:
        server = Server(closing(4401), stay)
        async with server.client() as client:
            await client.until(client.ready.is_set)
        assert server.renewed[:2] == [False, True]


class TestSilence:
    async def test_is_a_connection_that_is_lost(self) -> None:
        async def fall_silent(socket: ServerConnection) -> None:
            await say(socket, READY | {"heartbeat": 1})
            await server.hear(socket, "ping")
            await server.hear(socket, "never")

        server = Server(fall_silent, stay)
        async with server.client() as client:
            await client.until(lambda: server.met == 2)
        assert "ping" in {frame["type"] for frame in server.heard}


class TestToken:
    async def test_is_renewed_when_it_is_about_to_expire(self) -> None:
        async def expire(socket: ServerConnection) -> None:
            await say(socket, READY)
            await say(socket, {"type": "auth.expiring", "in": 60})
            assert (await server.hear(socket, "auth"))["token"] == "new"
            await socket.close(4403)

        server = Server(expire)
        async with server.client() as client:
            with pytest.raises(Stopped):
                await client.until(lambda: False)


class TestCatchingUp:
    async def test_goes_on_from_where_one_was(self) -> None:
        async def move(socket: ServerConnection) -> None:
            await say(socket, READY)
            asked = await server.hear(socket, "sync")
            synced = {"type": "synced", "ref": asked["ref"], "epoch": READY["epoch"]}
            await say(socket, synced | {"user_pos": 7, "complete": True, "more": False})
            await socket.close(1012)

        server = Server(move, move)
        async with server.client() as client:
            await client.until(lambda: len(server.heard) == 2)
        asked = [(frame["user_pos"], frame["epoch"]) for frame in server.heard]
        assert asked == [(3, READY["epoch"]), (7, READY["epoch"])]

    async def test_begins_anew_with_another_epoch(self) -> None:
        other = "6b2b1bb5-5b8b-4d62-9c1f-0d3b1b8b7a13"

        async def restore(socket: ServerConnection) -> None:
            await say(socket, READY)
            await server.hear(socket, "sync")
            synced = {"type": "synced", "ref": "sync", "epoch": other, "user_pos": 1}
            await say(socket, synced | {"complete": False, "more": False})
            await server.hear(socket, "never")

        async def stay_restored(socket: ServerConnection) -> None:
            await say(socket, READY | {"epoch": other, "user_pos": 1})
            await server.hear(socket, "never")

        server = Server(restore, stay_restored)
        async with server.client() as client:
            await client.until(lambda: client.replica.epoch == other)
            await client.until(lambda: len(server.heard) == 2)
        assert server.heard[-1]["user_pos"] == 1


class Reluctant(Client):
    """Needs a moment to end what runs beside a lost connection."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.losing = asyncio.Event()

    async def _beat(self) -> None:
        try:
            await asyncio.Future()
        finally:
            self.losing.set()
            await asyncio.sleep(0.01)


class TestEnding:
    async def test_is_heeded_while_a_connection_is_being_lost(self) -> None:
        server = Server(lose, stay)
        async with server.address() as address:
            client = Reluctant(address, server.token)
            running = asyncio.create_task(client.run())
            await client.losing.wait()
            running.cancel()
            done, _ = await asyncio.wait({running}, timeout=1)
            running.cancel()
        assert done
        assert running.cancelled()


class TestSending:
    async def test_says_the_same_until_it_is_answered(self) -> None:
        example = document()["components"]["messages"]["event.message"]["examples"][0]["payload"]
        stored = {key: example[key] for key in example.keys() - {"type"}}

        async def lose(socket: ServerConnection) -> None:
            await say(socket, READY)
            said.append(await server.hear(socket, "message"))
            socket.transport.abort()

        async def refuse_twice_and_acknowledge(socket: ServerConnection) -> None:
            await say(socket, READY)
            for code in ("outcome_unknown", "unavailable"):
                said.append(await server.hear(socket, "message"))
                error = {"type": "error", "code": code, "detail": "", "retry_after": 0.01}
                await say(socket, error | {"ref": said[-1]["ref"]})
            said.append(await server.hear(socket, "message"))
            ack = {"type": "ack", "ref": said[-1]["ref"], "duplicate": True}
            await socket.send(json.dumps(ack | {"message": stored}))
            await socket.wait_closed()

        said: list[dict[str, Any]] = []
        server = Server(lose, refuse_twice_and_acknowledge)
        async with server.client() as client:
            assert await asyncio.wait_for(client.send(7, "Hello"), 10) == stored
        assert len(said) == 4
        assert len({frame["client_id"] for frame in said}) == 1
        # What was said and not answered is said again; what was answered is asked anew.
        assert len({frame["ref"] for frame in said}) == 3
        assert said[0] == said[1]

    async def test_may_be_given_up_at_any_moment(self) -> None:
        """Its answer still comes, and harms nobody."""

        async def answer_late(socket: ServerConnection) -> None:
            await say(socket, READY)
            given_up = await server.hear(socket, "message.delete")
            sending.cancel()
            error = {"type": "error", "code": "not_found", "detail": ""}
            await say(socket, error | {"ref": given_up["ref"]})
            other = await server.hear(socket, "message.delete")
            await say(socket, error | {"ref": other["ref"]})
            await socket.wait_closed()

        server = Server(answer_late)
        async with server.client() as client:
            sending = asyncio.create_task(client.ask({"type": "message.delete", "id": 1}))
            with pytest.raises(asyncio.CancelledError):
                await sending
            with pytest.raises(Refused, match="not_found"):
                await asyncio.wait_for(client.ask({"type": "message.delete", "id": 2}), 10)
        assert server.met == 1
