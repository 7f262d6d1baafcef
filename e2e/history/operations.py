"""What clients asked and were told: one operation a line, in the order in which it was seen."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Note = Callable[["Operation"], None]

Kind = Literal["invoke", "ok", "fail", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something a client asked or was told; `at` is time.monotonic_ns().

    `kind` is `invoke` when it is asked. What became of it is `ok`, `fail` (certainly not done) or
    `info` (nobody knows): unknown is not failed. `act` is one of

    found           a room was made with `user` in it (before anything else)
    send            `client_id` to `room`, over `via` socket or http
    edit delete     of the message `id`
    mark            everything up to `seq` is read
    read            history over HTTP; the answer is of `pos`, its rows are `hear`s before it
    hear            a message or membership, as `event` says, over `via` live, resume or history
    open            a connection, the client's `link`th: ok, and info with `error` when it ended
    begin           a session of `user`'s, the client's next; before that he had another
    end             of that session, how is `event`
    admitted barred its token over HTTP, once, and for good
    me              something personal is told: its user_pos is `pos`, `event` says what, of `room`;
                    `seq` is the marker there
    me.sync         from the user_pos `pos`; ok is a `synced` with `pos`
    presence        `about` is told to be as `status` says
    dial            a connection that came to nothing, `error` says why
    sync            from `pos`; ok is a `synced` with `pos`, `complete`, and `more`; fail means that
                    the room is not his
    join leave      of `about`, by somebody with the right to
    unread          what HTTP says of `about`: `seq` unread
    phase           of the run, `event` says: inject heal quiet; and hold: somebody holds `room`
    usage           what a part of the system (`who`) takes: `seq` of `event`, `via` before or after
    final           a row as it is when all is over, over `via` sql or http, of what `event` says
    """

    at: int
    who: str
    act: str
    kind: Kind = "ok"
    user: str = ""
    link: int = 0
    event: str = ""
    via: str = ""
    room: int = 0
    client_id: str = ""
    id: int = 0
    seq: int = 0
    pos: int = 0
    created_pos: int = 0
    digest: str = ""
    timestamp: str = ""
    about: str = ""
    left_pos: int = 0
    status: str = ""
    is_deleted: bool = False
    duplicate: bool = False
    complete: bool = True
    more: bool = False
    error: str = ""

    def to_line(self) -> str:
        """Give its JSON, without what is as by default."""
        return json.dumps({name: told for name in _NAMES if (told := self._told(name)) is not None})

    def _told(self, name: str) -> Any:
        value = getattr(self, name)
        return None if value == _DEFAULTS.get(name) else value


_NAMES = [field.name for field in fields(Operation)]
_DEFAULTS = {field.name: field.default for field in fields(Operation)}


def now() -> int:
    return time.monotonic_ns()


def save(operations: Iterable[Operation], path: Path) -> None:
    """Write one line for each; what cannot be written is lost, as with any log."""
    path.write_text("".join(f"{operation.to_line()}\n" for operation in operations))


def load(path: Path) -> list[Operation]:
    return [Operation(**json.loads(line)) for line in path.read_text().splitlines()]
