"""Two accounts to try the system with, and the exact lines to try it by."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple

from local.errors import CannotStartError
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD = "a-walk-by-the-sea"  # noqa: S105 - of accounts that exist on this machine alone
ACCOUNTS = {"alice": "Alice", "bob": "Bob"}
FROM_ALICE = "Hello from Alice"

CREATED, CONFLICT = 201, 409


class Step(NamedTuple):
    """What to paste into one terminal. Steps 1 and 3 belong into the same."""

    title: str
    lines: str


# Each terminal is told how to log in and how to find the room of two people.
_WORDS = """\
login() {{ curl -s {address}/api/auth/login/ -H 'Content-Type: application/json' \\
  -d '{{"username":"'$1'","password":"{password}"}}' | sed 's/.*"access":"\\([^"]*\\).*/\\1/'; }}
room() {{ curl -s {address}/api/chat/rooms/ -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $2" -d '{{"username":"'$1'"}}' \\
  | sed 's/.*"room_id":\\([0-9]*\\).*/\\1/'; }}
"""
_OPEN = "ALICE=$(login alice); ROOM=$(room bob $ALICE); echo room $ROOM"
_LISTEN = """\
BOB=$(login bob); ROOM=$(room alice $BOB)
.venv/bin/python -m websockets "{sockets}/ws/chat/$ROOM/?token=$BOB\""""
_SEND = """\
curl -s {address}/api/chat/rooms/$ROOM/messages/ -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $ALICE" -d '{{"content":"{content}"}}'"""
_STEPS = (
    Step("Alice logs in and opens a room with Bob", f"{_WORDS}{_OPEN}"),
    Step("In a second terminal, Bob logs in and listens", f"{_WORDS}{_LISTEN}"),
    Step("Back in the first, Alice sends, and the second shows it", _SEND),
)


def steps(address: str) -> list[Step]:
    """Return the three steps, for bash in the checkout's folder. `address` as Stack has it."""
    sockets = address.replace("http", "ws", 1)
    words = {"address": address, "sockets": sockets, "password": PASSWORD, "content": FROM_ALICE}
    return [Step(step.title, step.lines.format(**words)) for step in _STEPS]


def ensure_accounts(port: int) -> None:
    """Register both through the public API at the gateway, unless they are there already."""
    for username, name in ACCOUNTS.items():
        account = {
            "username": username,
            "display_name": name,
            "email": f"{username}@example.com",
            "password": PASSWORD,
        }
        status, answer = _post(port, "/api/auth/register/", account)
        if status not in {CREATED, CONFLICT}:
            raise CannotStartError(f"Registering {username} was answered {status}: {answer}")


def _post(port: int, path: str, body: Mapping[str, str]) -> tuple[int, str]:
    link = HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()
