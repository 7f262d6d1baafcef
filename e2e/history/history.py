"""A whole run, indexed as its checkers ask for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.history.operations import Operation

SECOND = 1_000_000_000
# How a connection ends that a client gives up of its own will: with a word, or without.
LEFT, VANISHED = "left", "vanished"


class Finding(NamedTuple):
    """A promise that was not kept, in words."""

    checker: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long things may take, in seconds; `delivery_is_excused` while the fault lasts.

    `share` is how much more than before something may take afterwards. `presence_is_disturbed`
    when who has gone from then on is only shown so in the end. `revocation` is from the end of a
    session; `revocation_is_excused` while nobody can hear of it. `moves` is how often a client may
    have to come back.
    """

    answer: float = 5.0
    delivery: float = 5.0
    recovery: float = 5.0
    revocation: float = 10.0
    moves: int = 0
    delivery_is_excused: bool = False
    revocation_is_excused: bool = False
    presence_is_disturbed: bool = True
    share: float = 0.1


@dataclass
class Sending:
    """One message a client wanted to send, with all its attempts."""

    invokes: list[Operation] = field(default_factory=list)
    outcomes: list[Operation] = field(default_factory=list)

    @property
    def first(self) -> Operation:
        return self.invokes[0]

    @property
    def ok(self) -> Operation | None:
        return next((each for each in self.outcomes if each.kind == "ok"), None)

    @property
    def is_certainly_not_done(self) -> bool:
        refused = [each for each in self.outcomes if each.kind == "fail"]
        return len(refused) == len(self.invokes)


@dataclass
class Window:
    """From where to where somebody may know of a room; `seq` is the first message he may see."""

    joined: int
    left: int | None = None
    seq: int = 0


class History:
    """The operations of a run in the order of time, and how long things may take in it."""

    def __init__(self, operations: Iterable[Operation], bounds: Bounds | None = None) -> None:
        self.operations = sorted(operations, key=lambda each: each.at)
        self.bounds = bounds or Bounds()

    def of(self, act: str, *kinds: str) -> Iterator[Operation]:
        """Give all operations of an act, or those of these kinds."""
        return (each for each in self._by_act[act] if not kinds or each.kind in kinds)

    def final(self, event: str, via: str = "sql") -> list[Operation]:
        """Give what was there at the end."""
        return [each for each in self._by_act["final"] if (each.event, each.via) == (event, via)]

    @cached_property
    def _by_act(self) -> dict[str, list[Operation]]:
        found = defaultdict(list)
        for each in self.operations:
            found[each.act].append(each)
        return found

    @cached_property
    def sendings(self) -> dict[tuple[str, str], Sending]:
        """Every message somebody wanted to send, by sender and client_id."""
        found: dict[tuple[str, str], Sending] = defaultdict(Sending)
        for each in self.of("send"):
            sending = found[each.user, each.client_id]
            (sending.invokes if each.kind == "invoke" else sending.outcomes).append(each)
        return dict(found)

    @cached_property
    def messages(self) -> dict[int, Operation]:
        """All messages as they were at the end, by id."""
        return {each.id: each for each in self.final("message")}

    @cached_property
    def messages_of_rooms(self) -> dict[int, list[Operation]]:
        """The same by room, in the order of `seq`."""
        found = defaultdict(list)
        for each in sorted(self.final("message"), key=lambda each: each.seq):
            found[each.room].append(each)
        return found

    @cached_property
    def phases(self) -> dict[str, int]:
        """When each phase of the run began."""
        return {each.event: each.at for each in self.of("phase")}

    @cached_property
    def ended(self) -> int:
        """When the last was written down."""
        return self.operations[-1].at

    @cached_property
    def opens(self) -> dict[str, list[Operation]]:
        """The beginnings and ends of each client's connections."""
        found = defaultdict(list)
        for each in self.of("open"):
            found[each.who].append(each)
        return found

    @cached_property
    def listeners(self) -> dict[str, str]:
        """Whose each client is that listened to the end: those that left are owed nothing."""
        return {
            who: opens[-1].user
            for who, opens in self.opens.items()
            if opens[-1].error not in {LEFT, VANISHED}
        }

    def excused(self, began: int) -> int:
        """Give the moment from which what was committed then is counted as late.

        Where the fault excuses it, when it was over.
        """
        return self.after_healing(began) if self.bounds.delivery_is_excused else began

    def after_healing(self, began: int) -> int:
        """Give that moment, or when the fault was over, whichever is later."""
        healed = self.phases.get("heal")
        if healed is None:
            return began
        # What was committed shortly before could still be on its way when it began.
        in_flight = round(self.bounds.delivery * SECOND)
        return max(began, healed) if began > self.phases["inject"] - in_flight else began

    @cached_property
    def windows(self) -> dict[tuple[int, str], list[Window]]:
        """What each person may know of each room, from all that was told of memberships."""
        found: dict[tuple[int, str], list[Window]] = defaultdict(list)
        for (room, pos, about), (joined, seq) in sorted(self._turns.items()):
            windows = found[room, about]
            if joined:
                windows.append(Window(pos, seq=seq))
            elif windows:
                windows[-1].left = pos
        return found

    @property
    def _turns(self) -> dict[tuple[int, int, str], tuple[bool, int]]:
        """Where whose membership began, and with which message; and where it ended."""
        turns: dict[tuple[int, int, str], tuple[bool, int]] = {}
        for each in self.of("found"):
            turns[each.room, 0, each.user] = (True, 0)
        for each in self.of("hear"):
            if each.event in {"member.joined", "member.left"}:
                turns[each.room, each.pos, each.about] = (each.event == "member.joined", 0)
        for each in [*self.of("join", "ok"), *self.of("leave", "ok")]:
            turns[each.room, each.pos, each.about] = (each.act == "join", each.seq)
        for each in self.final("member"):
            turns[each.room, each.created_pos, each.about] = (True, each.seq)
            if each.left_pos:
                turns[each.room, each.left_pos, each.about] = (False, 0)
        return turns
