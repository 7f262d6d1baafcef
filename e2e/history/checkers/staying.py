"""Whoever is connected stays connected, but for what cuts connections."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from e2e.history.checkers.presence import departures
from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History


def moved(history: History) -> Iterator[Finding]:
    """No client is sent away more often than what was broken explains."""
    for who, times in moves(history).items():
        if times > history.bounds.moves:
            yield Finding("moved", f"{who} moved {times} times, not {history.bounds.moves}")


def moves(history: History) -> dict[str, int]:
    """How often each client came back, but for those that went, or whose sessions ended."""
    gone = {each.user for each in departures(history)} | {each.user for each in history.of("end")}
    opened = Counter(each.who for each in history.of("open", "ok") if each.user not in gone)
    return {who: times - 1 for who, times in opened.items()}
