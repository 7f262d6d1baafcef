"""Whoever leaves takes all of it along, and leaves nothing behind: looked for in every store."""

from __future__ import annotations

import io
import json
import os
import time
import uuid
import zipfile
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from e2e.people import PASSWORD, Ear, Person
from e2e.traces import redis_keys, searched_stack
from local.backups import DATABASES, _run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from local.stack import Stack

SECONDS = 20.0
ME = "/api/auth/me/"
EXPORT = "/api/auth/me/export/"


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    settings = {"POSTGRES_MANAGED": "true", "EMAIL_VERIFICATION": "optional"}
    with searched_stack(sockets=1, durable=False, settings=settings) as stack:
        yield stack


def new_picture() -> bytes:
    """One that nobody else has."""
    file = io.BytesIO()
    Image.frombytes("RGB", (8, 8), os.urandom(192)).save(file, "PNG")
    return file.getvalue()


class Leaver(Person):
    """Somebody with a trace of himself in every place that keeps something of somebody."""

    def settles(self, friend: Person, stranger: Person) -> None:
        self.bio = f"bio-{uuid.uuid4().hex}"
        self.status = f"status-{uuid.uuid4().hex}"
        self.display_name = f"Display {uuid.uuid4().hex}"
        shown = {"bio": self.bio, "display_name": self.display_name}
        self.asks("PATCH", ME, shown)
        self.picture = self.asks("POST", f"{ME}avatar/", files={"avatar": new_picture()})["avatar"]
        self.renews()
        self.logs_in_as_page()
        self.room = self.opens_room_with(friend)
        self.message = self.sends(self.room, "the place of this stays", client_id="leaver-1")
        friend.sends(self.room, "a secret of the friend's")
        self.asks("POST", "/api/chat/presence/me/", {"custom_status": self.status})
        self.asks("POST", "/api/chat/contacts/", {"user_id": friend.user["id"]})
        self.asks("POST", "/api/chat/blocks/", {"user_id": stranger.user["id"]})

    def asks(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        answer = self.http.request(method, path, json=body, **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    @property
    def traces(self) -> list[str]:
        """What is his alone."""
        email = f"{self.username}@example.com"
        picture = self.picture.removeprefix("/api/auth/avatars/")
        return [self.username, email, self.display_name, self.bio, self.status, picture]


@pytest.fixture
def friend(own_stack: Stack) -> Iterator[Person]:
    with Person.signs_up(own_stack.address, "friend") as person:
        yield person


@pytest.fixture
def leaver(own_stack: Stack, friend: Person) -> Iterator[Leaver]:
    with Person.signs_up(own_stack.address, "stranger") as stranger, ExitStack() as stack:
        leaver = stack.enter_context(Leaver.signs_up(own_stack.address, "leaver"))
        assert isinstance(leaver, Leaver)
        leaver.settles(friend, stranger)
        yield leaver


def places(stack: Stack, folder: Path) -> dict[str, str]:
    """Both databases as pg_dump writes them in text, Redis, and every file anybody uploaded."""
    found = {}
    for name in DATABASES:
        file = folder / f"{name}.sql"
        _run(stack.postgres, "pg_dump", f"--dbname={name}", f"--file={file}")
        found[name] = file.read_text()
    found["redis"] = "\n".join(text for _, text in redis_keys(stack))
    files = [file for file in (stack.home / "media").rglob("*") if file.is_file()]
    found["media"] = "\n".join(f"{file} {file.read_bytes()!r}" for file in files)
    return found


def traces_of(leaver: Leaver, found: dict[str, str]) -> dict[str, list[str]]:
    return {
        place: kept
        for place, text in found.items()
        if (kept := [trace for trace in leaver.traces if trace in text])
    }


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_erased(stack: Stack, leaver: Leaver) -> bool:
    """Whether messaging has swept once, and the last mail is gone."""
    with stack.postgres.connect("messaging") as link, link.cursor() as cursor:
        cursor.execute("SELECT sweeps FROM erasures WHERE user_id = %s", [leaver.user["id"]])
        swept = cursor.fetchone()
    with stack.postgres.connect("auth") as link, link.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_mail WHERE username = %s", [leaver.username])
        waiting = cursor.fetchone()
    return bool(swept and swept[0]) and waiting is None


def ended_with(ear: Ear) -> int:
    """Hear a socket out, and return the code it was closed with."""
    with suppress(ConnectionClosed):
        while True:
            ear.hears()
    assert ear.socket.close_code is not None
    return ear.socket.close_code


def erase(leaver: Leaver) -> None:
    answer = leaver.http.request("DELETE", ME, json={"password": PASSWORD})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def files_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".json")]
        assert archive.read("account/avatar.webp")
        return {name: json.loads(archive.read(name)) for name in names}


class TestTakingItAlong:
    def test_gives_all_that_both_services_hold(self, leaver: Leaver, friend: Person) -> None:
        files = files_of(leaver.http.post(EXPORT))
        [account] = files["account/account.json"]
        assert account == leaver.asks("GET", ME) | {
            name: account[name] for name in ("email_verified_at", "mfa_enabled_at", "is_operator")
        }
        assert len(files["account/sessions.json"]) == 2
        assert files["messaging/messages.json"] == [leaver.message]
        [mine] = files["messaging/rooms.json"]
        assert mine["room"] == leaver.room
        [contact] = files["messaging/contacts.json"]
        assert contact["user_id"] == friend.user["id"]
        assert len(files["messaging/blocks.json"]) == 1
        whole = json.dumps(files)
        assert [trace for trace in leaver.traces if trace not in whole] == []
        assert "a secret of the friend's" not in whole
        assert f"{friend.username}@example.com" not in whole

    def test_gives_nothing_half_while_messaging_is_away(
        self, own_stack: Stack, leaver: Leaver
    ) -> None:
        own_stack.process("messaging_service").kill()
        answer = leaver.http.post(EXPORT)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        own_stack.restart("messaging_service")
        files_of(leaver.http.post(EXPORT))


class TestLeaving:
    def test_leaves_no_trace_in_any_store(
        self, own_stack: Stack, leaver: Leaver, friend: Person, tmp_path: Path
    ) -> None:
        before = traces_of(leaver, places(own_stack, tmp_path))
        assert set().union(*before.values()) == set(leaver.traces)
        assert before.keys() >= {"auth", "messaging", "media"}
        with friend.listens(leaver.room) as ear, leaver.listens(leaver.room) as own:
            erase(leaver)
            frame = ear.hears_first("user.changed")
            assert (frame["user_id"], frame["display_name"]) == (leaver.user["id"], "Deleted user")
            assert ended_with(own) == 4401
        until(lambda: is_erased(own_stack, leaver))
        assert traces_of(leaver, places(own_stack, tmp_path)) == {}
        message = friend.history(leaver.room)[0]
        assert message["content"] == "the place of this stays"
        assert message["sender_username"] == "deleted user"
        found = friend.http.get("/api/auth/users/", params={"search": leaver.username}).json()
        assert found["results"] == []

    def test_is_done_once_messaging_is_back(
        self, own_stack: Stack, leaver: Leaver, friend: Person, tmp_path: Path
    ) -> None:
        away = ("messaging_service", "messaging_sockets-1")
        for name in away:
            own_stack.process(name).kill()
        erase(leaver)
        assert "messaging" in traces_of(leaver, places(own_stack, tmp_path))
        for name in away:
            own_stack.restart(name)
        # Whoever is quicker than the news of it may still come in; his name is kept nowhere.
        leaver.http.get("/api/chat/rooms/")
        with suppress(WebSocketException, AssertionError), leaver.listens(leaver.room):
            pass
        until(lambda: is_erased(own_stack, leaver))
        assert traces_of(leaver, places(own_stack, tmp_path)) == {}
        refused = leaver.http.get("/api/chat/rooms/")
        assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")
        header = {"Authorization": f"Bearer {leaver.access}"}
        url = f"{own_stack.address.replace('http', 'ws')}/ws/chat/{leaver.room}/"
        with connect(url, additional_headers=header) as socket:
            assert ended_with(Ear(socket)) == 4401
        assert friend.history(leaver.room)[0]["sender_username"] == "deleted user"
