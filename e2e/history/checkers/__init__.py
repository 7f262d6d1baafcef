"""What must hold of every history, whatever was broken meanwhile.

Each is a function from a history to its findings, and takes about as long as sorting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.history.checkers.agreeing import agreement
from e2e.history.checkers.deriving import fold, markers, snapshots, unread
from e2e.history.checkers.hearing import disconnected, late, missed
from e2e.history.checkers.keeping import dense, doubled, lost, phantom
from e2e.history.checkers.leaking import leaked
from e2e.history.checkers.ordering import heard_order, real_time, session_order
from e2e.history.checkers.personal import personal, personal_late, personal_order
from e2e.history.checkers.presence import ghosts, shown
from e2e.history.checkers.revoking import revoked
from e2e.history.checkers.serving import held_up, not_recovered, outgrown, unanswered
from e2e.history.checkers.staying import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.history.history import Finding, History

CHECKERS: tuple[Callable[[History], Iterator[Finding]], ...] = (
    lost,
    doubled,
    phantom,
    dense,
    agreement,
    real_time,
    session_order,
    heard_order,
    missed,
    disconnected,
    late,
    leaked,
    revoked,
    markers,
    unread,
    fold,
    snapshots,
    personal,
    personal_order,
    personal_late,
    ghosts,
    shown,
    unanswered,
    held_up,
    moved,
    not_recovered,
    outgrown,
)


def judge(history: History) -> list[Finding]:
    """Return everything that is wrong with a history."""
    return [finding for check in CHECKERS for finding in check(history)]
