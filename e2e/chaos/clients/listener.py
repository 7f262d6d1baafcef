"""Somebody at a socket for all his rooms who catches up, and writes down every frame.

Not the reference client: it keeps positions only, so that what it writes down is what was told.
"""

from __future__ import annotations

from typing import Any

from e2e.chaos.clients.caller import Caller
from e2e.chaos.clients.script import Frame, seen

ME = 0  # Stands beside the ids of rooms, for what is personal.


class Listener(Caller):
    """Where he stands in each room, and in what is personal."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.positions: dict[int, int] = {}
        self.user_pos = 0
        self.behind: set[int] = set()
        self.epoch = ""

    @property
    def is_current(self) -> bool:
        return self.ready.is_set() and not self.behind

    async def _begin(self, ready: Frame) -> None:
        """Ask for what is missing; the first time only for what comes from now on."""
        if not self.epoch:
            self.positions = await self._listed()
            self.user_pos, self.epoch = ready["user_pos"], ready["epoch"]
        self.link += 1
        self._note("open")
        await self._ask_for_mine()
        await self._ask_for(*self.positions)
        self.ready.set()

    async def _listed(self) -> dict[int, int]:
        answer = await self.http.get("/api/chat/rooms/?page_size=100", headers=self.account.bearer)
        answer.raise_for_status()
        return {room["id"]: room["pos"] for room in answer.json()["results"]}

    def _sync(self) -> Frame:
        return {"type": "sync", "ref": "sync", "epoch": self.epoch}

    async def _ask_for_mine(self) -> None:
        self.behind.add(ME)
        self._note("me.sync", "invoke", pos=self.user_pos)
        await self.say(self._sync() | {"user_pos": self.user_pos})

    async def _ask_for(self, *rooms: int) -> None:
        for room in rooms:
            self.behind.add(room)
            self._note("sync", "invoke", room=room, pos=self.positions[room])
        if rooms:
            asked = {str(room): self.positions[room] for room in rooms}
            await self.say(self._sync() | {"rooms": asked})

    # ---- frames ----------------------------------------------------------------------------------

    async def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "message" | "message.updated":
                self._heard(frame, **seen(frame))
            case "member.joined" | "member.left":
                self._heard_of_member(frame)
            case "room.added":
                await self._added(frame)
            case "me.changed":
                self._heard_of_me(frame, seq=frame["last_read_seq"])
            case "presence":
                self._note("presence", about=frame["user_id"], status=frame["status"])
            case "synced":
                await self._synced(frame)
            case "auth.expiring":
                await self.account.renew(self.http)
                await self.say({"type": "auth", "token": self.account.access})
            case "ack" | "error":
                self._answered(frame)

    def _answered(self, frame: Frame) -> None:
        if answer := self.answers.get(frame.get("ref", "")):
            if not answer.done():
                answer.set_result(frame)
        elif (frame.get("code"), frame.get("ref")) == ("not_found", "sync"):
            self._note("sync", "fail", room=frame["room"], error="not_found")
            self._forget(frame["room"])

    def _heard_of_member(self, frame: Frame) -> None:
        self._heard(frame, about=frame["user_id"], room=frame["room"], pos=frame["pos"])
        if (frame["type"], frame["user_id"]) == ("member.left", self.account.user_id):
            self._forget(frame["room"])

    def _heard(self, frame: Frame, **fields: Any) -> None:
        room, pos = frame["room"], frame["pos"]
        via = "resume" if room in self.behind else "live"
        self._note("hear", event=frame["type"], via=via, **fields)
        if room in self.positions and room not in self.behind:
            self.positions[room] = max(self.positions[room], pos)

    async def _added(self, frame: Frame) -> None:
        room = frame["room"]
        self._note("hear", event="room.added", via="personal", room=room, pos=frame["pos"])
        self._heard_of_me(frame)
        self.positions[room] = frame["pos"]
        await self._ask_for(room)

    def _heard_of_me(self, frame: Frame, **fields: Any) -> None:
        via, pos = "resume" if ME in self.behind else "live", frame["user_pos"]
        self._note("me", event=frame["type"], via=via, room=frame["room"], pos=pos, **fields)
        if ME not in self.behind:
            self.user_pos = max(self.user_pos, pos)

    async def _synced(self, frame: Frame) -> None:
        if "user_pos" in frame:
            self.user_pos = frame["user_pos"]
            self._note("me.sync", pos=self.user_pos, complete=frame["complete"])
            if frame["more"]:
                await self._ask_for_mine()
            else:
                self.behind.discard(ME)
            return
        room, pos, more = frame["room"], frame["pos"], frame["more"]
        complete = frame["complete"] and frame["epoch"] == self.epoch
        self.epoch = frame["epoch"]
        self._note("sync", room=room, pos=pos, complete=complete, more=more)
        if room not in self.positions:
            return
        if not complete:
            await self.read_history(room)
        self.positions[room] = pos
        if more:
            await self._ask_for(room)
        else:
            self.behind.discard(room)

    def _forget(self, room: int) -> None:
        self.positions.pop(room, None)
        self.behind.discard(room)
