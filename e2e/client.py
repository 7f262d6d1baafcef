"""The reference client: never silently behind, whatever happens to its connection.

    async with asyncio.TaskGroup() as together:
        client = Client("http://localhost:8000", token)
        together.create_task(client.run())
        await client.send(room, "Hello")
        print(client.replica.rooms[room].messages)

Replica and Room are what is held, and how frames change it; Client is where frames come from.
"""

import asyncio
import json
import random
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

Frame = dict[str, Any]
STOP = {4400, 4403, 1009}
RENEW, TOO_FAST = 4401, 4429
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
SAY_AGAIN = {"unavailable", "outcome_unknown", "rate_limited"}
LOST: Frame = {"type": "error", "code": "outcome_unknown", "retry_after": 0}
MOST_ROOMS = 1_000  # In one `sync`.
ME = 0  # Stands beside the ids of rooms, for what is personal.


class Refused(Exception):
    """The code of a refusal that saying it again would not change."""


class Stopped(Exception):
    """The code of a close that means: do not come back."""


def keep(held: dict[Any, Frame], key: object, version: Frame) -> None:
    """Of two versions the one with the higher `pos` is right, whichever way it came."""
    if key not in held or held[key]["pos"] <= version["pos"]:
        held[key] = version


@dataclass
class Room:
    """A room up to its change `pos`; while `behind`, events are kept but do not move it."""

    pos: int
    behind: bool = True
    loaded: bool = False
    messages: dict[int, Frame] = field(default_factory=dict)
    members: dict[str, Frame] = field(default_factory=dict)

    def apply(self, event: Frame) -> None:
        if event["type"].startswith("message"):
            message = {key: event[key] for key in event.keys() - {"type", "change"}}
            keep(self.messages, message["id"], message)
        else:
            keep(self.members, event["user_id"], event | {"here": event["type"] == "member.joined"})
        if not self.behind:
            self.pos = max(self.pos, event["pos"])

    def load(self, shown: Frame, history: list[Frame]) -> None:
        """Take in what HTTP says; it moves nothing, as events before it may still be coming."""
        for message in history:
            keep(self.messages, message["id"], message)
        for person in shown["participants"]:
            keep(self.members, person["user_id"], person | {"pos": shown["pos"], "here": True})
        self.loaded = True


@dataclass
class Replica:
    """All that one person holds: rooms, and in `user_pos` how much of what is personal."""

    user_id: str = ""
    epoch: str = ""
    user_pos: int = 0
    rooms: dict[int, Room] = field(default_factory=dict)
    user_behind: bool = True

    @property
    def is_current(self) -> bool:
        held = all(room.loaded and not room.behind for room in self.rooms.values())
        return bool(self.epoch) and held and not self.user_behind

    def fall_behind(self) -> dict[int, int]:
        """Move no more, until all that was told since these positions is told."""
        self.user_behind = True
        for room in self.rooms.values():
            room.behind = True
        return {ME: self.user_pos} | {room_id: room.pos for room_id, room in self.rooms.items()}

    def apply(self, frame: Frame) -> dict[int, int]:
        """Take in a frame, and return the positions to `sync` from now."""
        room_id = frame.get("room", ME)
        room = self.rooms.get(room_id)
        match frame["type"]:
            case "message" | "message.updated" | "member.joined" | "member.left" if room:
                is_over = frame["type"] == "member.left" and frame["user_id"] == self.user_id
                if not is_over:
                    room.apply(frame)
                elif frame["pos"] > room.pos:  # An older one is from before he was added again.
                    del self.rooms[room_id]
            case "room.added" | "me.changed" as kind:
                if not self.user_behind:
                    self.user_pos = max(self.user_pos, frame["user_pos"])
                if kind == "room.added":
                    self.rooms[room_id] = Room(frame["pos"])
                    return {room_id: frame["pos"]}
            case "error" if (frame["code"], frame.get("ref")) == ("not_found", "sync"):
                self.rooms.pop(room_id, None)
            case "synced":
                return self._synced(frame, room_id, room)
        return {}

    def _synced(self, frame: Frame, room_id: int, room: Room | None) -> dict[int, int]:
        pos, complete, more = frame.get("pos", 0), frame["complete"], frame["more"]
        if frame["epoch"] != self.epoch or (room_id == ME and not complete):
            self.epoch = ""  # Nothing held is worth anything.
        elif room_id == ME:
            pos = self.user_pos = frame["user_pos"]
            self.user_behind = more
        elif room and complete:
            room.pos, room.behind = pos, more
        elif room:
            self.rooms[room_id] = Room(pos, behind=more)
        return {room_id: pos} if more else {}


class Client:
    """One socket that comes back for as long as it is `run`.

    `token(renew)` is yours: it returns an access token, a new one if `renew` is true.
    """

    def __init__(self, address: str, token: Callable[[bool], Awaitable[str]]) -> None:
        self.replica = Replica()
        self.socket: ClientConnection | None = None
        self.ready = asyncio.Event()
        self.url = address.replace("http", "ws", 1) + "/ws/chat/"
        self._http = httpx.AsyncClient(base_url=address)
        self._token = token
        self._heartbeat = 25.0
        self._answers: dict[str, asyncio.Future[Frame]] = {}

    async def send(self, room: int, content: str) -> Frame:
        """Send a message and return it as stored: once, however often it had to be said."""
        command = {"type": "message", "room": room, "content": content}
        ack = await self.ask(command | {"client_id": str(uuid.uuid4())})
        return dict(ack["message"])

    async def ask(self, command: Frame) -> Frame:
        """Say it until it is acknowledged, and return the ack; raises Refused."""
        while True:
            await self.ready.wait()
            ref = str(uuid.uuid4())
            self._answers[ref] = answer = asyncio.Future[Frame]()
            await self._say(command | {"ref": ref})
            frame = await asyncio.shield(answer)
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
            if code in STOP or (self.socket and self.socket.close_reason == "replaced"):
                raise Stopped(code)
            was_fine = self.ready.is_set() and code != TOO_FAST
            pause = SHORTEST_PAUSE if was_fine else min(2 * pause, LONGEST_PAUSE)
            self.socket = None
            self.ready.clear()
            while self._answers:
                self._answers.popitem()[1].set_result(LOST)
            await asyncio.sleep(pause * random.random())

    async def _connect(self, token: str) -> None:
        bearer = {"Authorization": f"Bearer {token}"}
        opened = connect(self.url, additional_headers=bearer, ping_interval=None, close_timeout=1)
        async with opened as self.socket, asyncio.TaskGroup() as self._beside:
            await self._begin(await self.hear(self.socket))
            while True:
                await self._take(await self.hear(self.socket))

    async def hear(self, socket: ClientConnection) -> Frame:
        """Wait for the next frame; raises TimeoutError for a socket that is silent for too long."""
        async with asyncio.timeout(2 * self._heartbeat):
            return dict(json.loads(await socket.recv()))

    async def _begin(self, ready: Frame) -> None:
        """Catch up with what is held; if it is of another epoch, with nothing but the rooms."""
        self._heartbeat = ready["heartbeat"]
        self._beside.create_task(self._beat())
        if ready["epoch"] != self.replica.epoch:
            page, rooms = "/api/chat/rooms/?page_size=100", dict[int, Room]()
            while page:
                found = await self._get(page)
                rooms |= {room["id"]: Room(room["pos"]) for room in found["results"]}
                page = found["next"]
            self.replica = Replica(ready["user_id"], ready["epoch"], ready["user_pos"], rooms)
        await self._sync(self.replica.fall_behind())
        self.ready.set()

    async def _take(self, frame: Frame) -> None:
        await self._sync(self.replica.apply(frame))
        room_id = frame.get("room", ME)
        match frame["type"]:
            case "synced" if (room := self.replica.rooms.get(room_id)) and not room.loaded:
                self._beside.create_task(self._load(room_id, room))
            case "auth.expiring":
                await self._say({"type": "auth", "token": await self._token(True)})
            case "ack" | "error" if answer := self._answers.pop(frame.get("ref", ""), None):
                answer.set_result(frame)
        if not self.replica.epoch:
            raise ConnectionResetError

    async def _sync(self, positions: dict[int, int]) -> None:
        command = {"type": "sync", "ref": "sync", "epoch": self.replica.epoch}
        if ME in positions:
            await self._say(command | {"user_pos": positions.pop(ME)})
        while positions:
            some = [positions.popitem() for _ in range(min(len(positions), MOST_ROOMS))]
            await self._say(command | {"rooms": dict(some)})

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
            await self._say({"type": "ping"})

    async def _say(self, command: Frame) -> None:
        with suppress(ConnectionClosed):  # Whoever hears the socket will notice.
            if self.socket:
                await self.socket.send(json.dumps(command))
