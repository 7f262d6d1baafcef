"""Nobody is told, shown or allowed anything outside his membership."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History
    from e2e.history.operations import Operation


def leaked(history: History) -> Iterator[Finding]:
    """Who is not in a room hears nothing of it, whichever way, and is refused."""
    for each in history.of("hear"):
        if not _may_know(history, each):
            told = f"pos {each.pos}, seq {each.seq} of room {each.room} over {each.via}"
            yield Finding("leaked", f"{each.user} ({each.who}) was told {told}")
    yield from _served_outside(history)


def _may_know(history: History, each: Operation) -> bool:
    return any(
        window.joined <= each.pos
        and (window.left is None or each.pos <= window.left)
        and (not each.seq or each.seq >= window.seq)
        for window in history.windows.get((each.room, each.user), ())
    )


def _served_outside(history: History) -> Iterator[Finding]:
    """What somebody asked when he was certainly out, and was given."""
    out: dict[tuple[int, str], bool] = defaultdict(bool)
    asked: dict[tuple[str, str, str, int], bool] = {}
    for each in history.operations:
        if each.act == "leave" and each.kind == "ok":
            out[each.room, each.about] = True
        elif each.act == "join" and each.kind == "invoke":
            out[each.room, each.about] = False
        elif each.act in {"send", "read"}:
            key = each.who, each.act, each.client_id, each.room
            if each.kind == "invoke":
                asked[key] = out[each.room, each.user]
            elif each.kind == "ok" and asked.get(key) and out[each.room, each.user]:
                told = f"{each.act} in room {each.room} after he was removed"
                yield Finding("leaked", f"{each.user} was allowed to {told}")
