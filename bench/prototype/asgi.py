"""A bare ASGI application around the writer; Redis carries each message to the room's sockets."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from typing import Any

import orjson
import redis.asyncio

from bench.prototype.writer import Send, Stored, Writer


class Rooms:
    """Who is in which room, and one Redis subscription for each room with somebody in it."""

    def __init__(self) -> None:
        self._sockets: dict[int, dict[Any, None]] = defaultdict(dict)
        self._redis = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None)
        self._heard = self._redis.pubsub()
        self._subscribing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.writer = Writer(self._wake)
        self.writer.start()

    async def enter(self, room: int, socket: Any) -> None:  # noqa: ANN401 - ASGI's send
        async with self._subscribing:
            if not self._sockets[room]:
                await self._heard.subscribe(f"room:{room}")
            self._sockets[room][socket] = None
            if not self._tasks:
                self._spawn(self._listen())

    def leave(self, room: int, socket: Any) -> None:  # noqa: ANN401 - ASGI's send
        self._sockets[room].pop(socket, None)

    def _wake(self, batch: list[Stored]) -> None:
        self._loop.call_soon_threadsafe(lambda: self._spawn(self._settle(batch)))

    async def _settle(self, batch: list[Stored]) -> None:
        """Acknowledge a committed batch, then publish it in one pipeline."""
        pipeline = self._redis.pipeline(transaction=False)
        for send, body in batch:
            ack = {"type": "ack", "ref": send.content["ref"], "message": body}
            await send.socket({"type": "websocket.send", "text": orjson.dumps(ack).decode()})
            pipeline.publish(f"room:{send.room}", orjson.dumps({"type": "message", **body}))
        await pipeline.execute()

    async def _listen(self) -> None:
        while True:
            heard = await self._heard.get_message(ignore_subscribe_messages=True, timeout=None)
            if heard is not None:
                event = {"type": "websocket.send", "text": heard["data"].decode()}
                for socket in list(self._sockets[int(heard["channel"][5:])]):
                    await socket(event)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - any coroutine
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Application:
    """`/ws/chat/<room>/`, for everybody; everything else is answered with "up"."""

    rooms: Rooms

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's form
        if scope["type"] == "lifespan":
            await receive()
            self.rooms = Rooms()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"up"})
        else:
            await self._chat(int(scope["path"].split("/")[3]), receive, send)

    async def _chat(self, room: int, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's form
        await receive()
        await send({"type": "websocket.accept"})
        await self.rooms.enter(room, send)
        await send({"type": "websocket.send", "text": '{"type":"ready"}'})
        while (event := await receive())["type"] == "websocket.receive":
            content = orjson.loads(event["text"])
            self.rooms.writer.submit(Send(room, content, send))
        self.rooms.leave(room, send)


application = Application()
