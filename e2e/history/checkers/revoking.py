"""Whoever's session has ended is out, at both doors and in time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from e2e.history.history import SECOND, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History
    from e2e.history.operations import Operation

# Where nothing is broken, now or before this is over.
UNDISTURBED = 2.0


class Ending(NamedTuple):
    """After how many seconds a socket was closed and a token refused over HTTP, for good.

    None if that did not happen before the client's next session began.
    """

    who: str
    closed: float | None
    barred: float | None
    bound: float


def revoked(history: History) -> Iterator[Finding]:
    """Its socket is closed and comes to nothing again, and its token is no good over HTTP."""
    for ending in endings(history):
        doors = {"its socket was open": ending.closed, "its token was good": ending.barred}
        for what, seconds in doors.items():
            if seconds is None or seconds > ending.bound:
                told = "all the time" if seconds is None else f"for {seconds:.1f} s"
                yield Finding("revoked", f"{ending.who} was logged out, and {what} {told}")


def endings(history: History) -> list[Ending]:
    """Give all but those that came too late to be judged."""
    told: dict[str, list[Operation]] = defaultdict(list)
    for act in ("begin", "end", "open", "admitted", "barred"):
        for each in history.of(act):
            told[each.who].append(each)
    found = []
    for ended in history.of("end", "ok"):
        story = sorted(told[ended.who], key=lambda each: each.at)
        begins = (each.at for each in story if each.act == "begin" and each.at > ended.at)
        until = next(begins, history.ended)
        began, bound = _counted(history, ended.at)
        parts = [each for each in story if each.at <= until]
        outs = _closed(parts, ended.at), _barred(parts, ended.at)
        if None not in outs or until > began + bound * SECOND:
            closed, barred = (_seconds(began, at) for at in outs)
            found.append(Ending(ended.who, closed, barred, bound))
    return found


def _seconds(began: int, at: int | None) -> float | None:
    return None if at is None else max(0, at - began) / SECOND


def _counted(history: History, at: int) -> tuple[int, float]:
    """From when on it is counted, and how many seconds it may take."""
    if at + UNDISTURBED * SECOND < history.phases.get("inject", 0):
        return at, UNDISTURBED
    is_excused = history.bounds.delivery_is_excused or history.bounds.revocation_is_excused
    return (history.after_healing(at) if is_excused else at), history.bounds.revocation


def _closed(story: list[Operation], ended: int) -> int | None:
    """When the last socket of the session was closed."""
    opens = [each for each in story if each.act == "open"]
    if opens and opens[-1].kind == "ok":
        return None
    return max([ended, *(each.at for each in opens)])


def _barred(story: list[Operation], ended: int) -> int | None:
    """When its token was good for the last time."""
    if not any(each.act == "barred" and each.at > ended for each in story):
        return None
    return max([ended, *(each.at for each in story if each.act == "admitted")])
