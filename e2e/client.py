"""The reference client: never silently behind, whatever happens to its connection.

    async with asyncio.TaskGroup() as together:
        client = Client("http://localhost:8000", token)
        together.create_task(client.run())
        await client.send(room, "Hello")
        print(client.replica.rooms[room].messages)

What it holds, and what each frame makes of that, is in replica.py.
"""

import asyncio
import json
import random
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from e2e.replica import Frame, Replica, Room

STOP, RENEW, TOO_FAST = {4400, 4403, 1009}, 4401, 4429
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
SAY_AGAIN = {"unavailable", "outcome_unknown", "rate_limited"}


class Refused(Exception):
    """The code of a refusal that saying it again would not change."""


class Stopped(Exception):
    """The code of a close that means: do not come back."""


class Client:
    """One socket that comes back for as long as it is `run`.

    `token(renew)` is yours: it returns an access token, a new one if `renew` is true.
    """

    def __init__(self, address: str, token: Callable[[bool], Awaitable[str]]) -> None:
        self.replica = Replica()
        self.ready = asyncio.Event()
        self.socket: ClientConnection | None = None
        self.url = address.replace("http", "ws", 1) + "/ws/chat/"
        self._http = httpx.AsyncClient(base_url=address)
        self._token = token
        self._heartbeat = 25.0
        self._asked: dict[str, tuple[Frame, asyncio.Future[Frame]]] = {}

    async def send(self, room: int, content: str) -> Frame:
        """Send a message and return it as stored: once, however often it had to be said."""
        command = {"type": "message", "room": room, "content": content}
        ack = await self.ask(command | {"client_id": str(uuid.uuid4())})
        return dict(ack["message"])

    async def ask(self, command: Frame) -> Frame:
        """Say it until it is acknowledged, over every connection, and return the ack.

        Raises Refused.
        """
        while True:
            ref, answer = str(uuid.uuid4()), asyncio.Future[Frame]()
            self._asked[ref] = (command | {"ref": ref}, answer)
            try:
                if self.ready.is_set():
                    await self.say(command | {"ref": ref})
                frame = await asyncio.shield(answer)
            finally:
                self._asked.pop(ref, None)
            if frame["type"] != "error":
                return frame
            if frame["code"] not in SAY_AGAIN:
                raise Refused(frame["code"])
            await asyncio.sleep(frame.get("retry_after", 1))

    async def run(self) -> None:
        """Stay connected: come back with jitter, or raise Stopped, as the close code says."""
        pause, code = SHORTEST_PAUSE, None
        while True:
            try:
                await self._connect(await self._token(code == RENEW))
            except* (OSError, WebSocketException, httpx.HTTPError):
                code = self.socket.close_code if self.socket else None
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError  # Before Python 3.13 an error may come in its place.
            if code in STOP or (self.socket and self.socket.close_reason == "replaced"):
                raise Stopped(code)
            was_fine = self.ready.is_set() and code != TOO_FAST
            pause = SHORTEST_PAUSE if was_fine else min(2 * pause, LONGEST_PAUSE)
            self.socket = None
            self.ready.clear()
            await asyncio.sleep(pause * random.random())

    async def _connect(self, token: str) -> None:
        """Begin with what is held, or anew in another epoch; returns never."""
        bearer = {"Authorization": f"Bearer {token}"}
        opened = connect(self.url, additional_headers=bearer, ping_interval=None, close_timeout=1)
        async with opened as self.socket, asyncio.TaskGroup() as self._beside:
            ready = await self.hear(self.socket)
            self._heartbeat = ready["heartbeat"]
            self._beside.create_task(self._beat())
            if (epoch := ready["epoch"]) != self.replica.epoch:
                rooms = await self.rooms()
                self.replica = Replica(ready["user_id"], epoch, ready["user_pos"], rooms)
            self.ready.set()
            asked = [command for command, _ in self._asked.values()]
            await self.say(*self.replica.fall_behind(), *asked)
            while self.replica.epoch:
                await self._take(await self.hear(self.socket))
            raise ConnectionResetError

    async def hear(self, socket: ClientConnection) -> Frame:
        """Wait for the next frame; raises TimeoutError for a socket that is silent for too long."""
        async with asyncio.timeout(2 * self._heartbeat):
            return dict(json.loads(await socket.recv()))

    async def _take(self, frame: Frame) -> None:
        await self.say(*self.replica.apply(frame))
        match frame["type"]:
            case "synced" if room := self.replica.rooms.get(frame.get("room", 0)):
                if not room.loaded:
                    self._beside.create_task(self._load(frame["room"], room))
            case "auth.expiring":
                await self.say({"type": "auth", "token": await self._token(True)})
            case "ack" | "error" if asked := self._asked.pop(frame.get("ref", ""), None):
                asked[1].set_result(frame)

    async def rooms(self) -> dict[int, Room]:
        page, rooms = "/api/chat/rooms/?page_size=100", dict[int, Room]()
        while page:
            found = await self._get(page)
            rooms |= {room["id"]: Room(room["pos"]) for room in found["results"]}
            page = found["next"]
        return rooms

    async def _load(self, room_id: int, room: Room) -> None:
        path = f"/api/chat/rooms/{room_id}/"
        shown, history = await self._get(path), await self._get(f"{path}messages/?limit=100")
        room.load(shown, history["results"])

    async def _get(self, path: str) -> Frame:
        bearer = {"Authorization": f"Bearer {await self._token(False)}"}
        answer = await self._http.get(path, headers=bearer)
        return dict(answer.raise_for_status().json())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            await self.say({"type": "ping"})

    async def say(self, *commands: Frame) -> None:
        with suppress(ConnectionClosed):  # Whoever hears the socket will notice.
            for command in commands:
                if self.socket:
                    await self.socket.send(json.dumps(command))
