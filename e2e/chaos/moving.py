"""What a rolling restart may cost: sockets are told to move, and not one send fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.history.history import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History

# What a socket is closed with, and what is said of a send on one that was just closed.
SENT_AWAY = {"1012", "closed"}


def closed_otherwise(history: History) -> Iterator[Finding]:
    """Whoever moves was told why."""
    for each in history.of("open", "info"):
        if each.error != "1012":
            yield Finding("closed_otherwise", f"{each.who} lost its socket: {each.error}")


def failed(history: History) -> Iterator[Finding]:
    """Each send is kept: at once over HTTP, over sockets on the next one at the latest."""
    for each in history.of("send", "fail", "info"):
        if each.via == "http" or each.error not in SENT_AWAY:
            yield Finding("failed", f"{each.who} sent over {each.via}: {each.error}")
    for sending in history.sendings.values():
        if sending.ok is None:
            yield Finding("failed", f"{sending.first.client_id} was never acknowledged")


def judge_moving(history: History) -> list[Finding]:
    """Return everything a rolling restart should not have cost."""
    checkers = (closed_otherwise, failed)
    return [finding for check in checkers for finding in check(history)]
