"""Somebody whose sessions end, one after the other, with a socket open, and who logs in again."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx

from e2e.chaos.clients.listener import Listener
from e2e.chaos.clients.script import AWAY, PASSWORD

STAY_SECONDS = 2.0
LOOK_SECONDS = 0.1
# There are two processes behind the gateway, and both are to know.
REFUSED_IN_A_ROW = 4
# Whoever is let in for longer than this is let in for good.
PATIENCE_SECONDS = 60.0


class Leaver(Listener):
    """Logs out here, is logged out from his first device, or changes his password there."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # His first device only ends what is this one's.
        self._first = replace(self.account)
        self._passwords = [PASSWORD, f"{PASSWORD}-again"]
        self.is_away = False

    @property
    def is_current(self) -> bool:
        """Whoever is logged out lacks nothing."""
        return self.is_away or super().is_current

    async def run(self) -> None:
        """Log in and be logged out for as long as people write, then stay until cancelled."""
        while True:
            await self._log_in()
            staying = asyncio.create_task(super().run())
            try:
                await self._stay()
                self.is_away = True
                if await self._end():
                    await self._until_out()
            finally:
                is_still_in = self.ready.is_set()
                staying.cancel()
            with suppress(asyncio.CancelledError):
                await staying
            if is_still_in:
                self._note("open", "info", error="given up")

    async def _log_in(self) -> None:
        """What became of a change of the password is seen here."""
        while True:
            for password in self._passwords:
                body = {"username": self.account.username, "password": password}
                answer = await self._asked("POST", "/api/auth/login/", json=body)
                if answer and answer.status_code == httpx.codes.OK:
                    told = answer.json()
                    self.account.access, self.account.refresh = told["access"], told["refresh"]
                    self._note("begin")
                    self.is_away = False
                    return
            await asyncio.sleep(random.uniform(0.5, 1.5))

    async def _stay(self) -> None:
        await self.ready.wait()
        await asyncio.sleep(STAY_SECONDS * random.uniform(0.5, 1.5))
        while not self.script.is_writing or not super().is_current:
            await asyncio.sleep(LOOK_SECONDS)

    async def _end(self) -> bool:
        """Whether the session has certainly ended."""
        how = random.choice((self._log_out, self._end_from_first, self._change_password))
        self._note("end", "invoke", event=how.__name__)
        answer = await how()
        is_certain = answer is not None and answer.status_code == httpx.codes.NO_CONTENT
        error = "" if is_certain else str(answer.status_code if answer else "silent")
        self._note("end", "ok" if is_certain else "info", error=error)
        return is_certain

    async def _log_out(self) -> httpx.Response | None:
        return await self._asked("POST", "/api/auth/logout/", headers=self.account.bearer)

    async def _end_from_first(self) -> httpx.Response | None:
        path = f"/api/auth/sessions/{session_of(self.account.access)}/"
        return await self._asked("DELETE", path, headers=self._first.bearer)

    async def _change_password(self) -> httpx.Response | None:
        old, new = self._passwords
        body = {"current_password": old, "new_password": new}
        path, bearer = "/api/auth/password/change/", self._first.bearer
        answer = await self._asked("POST", path, json=body, headers=bearer)
        if answer and answer.status_code == httpx.codes.NO_CONTENT:
            self._passwords.reverse()
        return answer

    async def _until_out(self) -> None:
        """Ask until HTTP refuses, and wait until the socket is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._until_refused()
                while self.ready.is_set():
                    await asyncio.sleep(LOOK_SECONDS)

    async def _until_refused(self) -> None:
        refused = 0
        while refused < REFUSED_IN_A_ROW:
            answer = await self._asked("GET", "/api/chat/rooms/", headers=self.account.bearer)
            if answer and answer.status_code == httpx.codes.OK:
                refused = 0
                self._note("admitted")
            refused += bool(answer and answer.status_code == httpx.codes.UNAUTHORIZED)
            await asyncio.sleep(LOOK_SECONDS)
        self._note("barred")

    async def _asked(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """None if there was no answer of ours."""
        try:
            answer = await self.http.request(method, path, **more)
        except httpx.HTTPError:
            return None
        return None if answer.status_code in AWAY else answer


def session_of(token: str) -> str:
    """The session an access token names."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sid"])
