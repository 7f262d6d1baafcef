"""Every way to be a burden, one function each, and what each is to meet with.

commands.py       too many commands over a socket, and commands that are no good
control.py        what WebSocket itself allows without end
connections.py    sockets and handshakes
halves.py         what is begun and never finished, and what is sent and never read
requests.py       too many requests over HTTP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.overload.abuses import commands, connections, control, halves, requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from e2e.overload.abuser import Abuser


class Abuse:
    """What `people` do for as long as they can, and what they have all met with by then."""

    def __init__(self, act: Callable[[Abuser], Awaitable[None]], *meets: str, people: int = 2):
        self.act, self.meets, self.people = act, frozenset(meets), people


ABUSES = {
    "messages": Abuse(commands.messages, "rate_limited", people=3),
    "posts": Abuse(requests.posts, "201", "429"),
    "long messages": Abuse(commands.long_messages, "invalid"),
    "typing": Abuse(commands.typing, "rate_limited"),
    "reads": Abuse(commands.reads, "rate_limited"),
    "deep JSON": Abuse(commands.deep_json, "invalid", "rate_limited", "4429"),
    "large frames": Abuse(commands.large_frames, "1009"),
    "large bodies": Abuse(requests.large_bodies, "413"),
    "sockets": Abuse(connections.sockets, "4429"),
    "visits": Abuse(connections.visits, "ready"),
    "strangers": Abuse(connections.strangers, "4401"),
    "forged tokens": Abuse(connections.forged_tokens, "4401"),
    "unknown tickets": Abuse(connections.unknown_tickets, "4401"),
    "foreign pages": Abuse(connections.foreign_pages, "403"),
    "pings": Abuse(control.pings, "4429", people=3),
    "unread pings": Abuse(control.unread_pings, "ended by ConnectionResetError"),
    "fragments": Abuse(control.fragments, "4429"),
    "slow readers": Abuse(halves.slow_readers, "times", people=6),
    "half frames": Abuse(halves.half_frames, "times"),
    "half handshakes": Abuse(halves.half_handshakes, "times"),
    "half bodies": Abuse(halves.half_bodies, "times"),
    "half uploads": Abuse(halves.half_uploads, "times"),
    "half sign-ins": Abuse(halves.half_sign_ins, "times"),
}
IDLE = "idle"
KINDS = {**ABUSES, IDLE: Abuse(connections.idle)}
