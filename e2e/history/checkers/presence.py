"""Who is here is shown to be here, and who has gone to have gone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from e2e.history.history import LEFT, SECOND, VANISHED, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.history.history import History

# How long after somebody has gone he is shown so: two seconds after a clean close and ten after a
# broken one, by whoever looks once a second; the rest is for a machine that does much else.
LEAVING = {LEFT: 6.0, VANISHED: 14.0}
# However he went, and whatever was broken meanwhile.
AT_MOST = 45.0
# So long after he came he is shown to be here.
ARRIVING = 5.0


class Departure(NamedTuple):
    """Somebody's last connection ended; `back` is when he was connected again."""

    user: str
    error: str
    opened: int
    at: int
    back: int | None


def departures(history: History) -> list[Departure]:
    """Give all who went of their own will: they have one device."""
    opened: dict[str, int] = {}
    gone: dict[str, Departure] = {}
    found = []
    for each in history.of("open"):
        if each.kind == "ok":
            opened[each.user] = each.at
            if each.user in gone:
                found.append(gone.pop(each.user)._replace(back=each.at))
        elif each.error in LEAVING:
            gone[each.user] = Departure(each.user, each.error, opened[each.user], each.at, None)
    return [*found, *gone.values()]


def ghosts(history: History) -> Iterator[Finding]:
    """Whoever is connected and shares a room is told in time that somebody has gone."""
    for departure, who, seconds in goings(history):
        if seconds is None:
            told = f"{departure.user} had gone ({departure.error})"
            yield Finding("ghosts", f"{who} was not told in time that {told}")


def goings(history: History) -> list[tuple[Departure, str, float | None]]:
    """When each departure was told to whom; None if it was not told in time."""
    told: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in history.of("presence"):
        if each.status == "offline":
            told[each.who, each.about].append(each.at)
    found: list[tuple[Departure, str, float | None]] = []
    for departure in departures(history):
        until = departure.at + round(LEAVING[departure.error] * SECOND)
        if not _can_be_judged(history, departure, until):
            continue
        for who in _watchers(history, departure.user, departure.at, until):
            heard = [at for at in told[who, departure.user] if departure.at <= at <= until]
            seconds = (min(heard) - departure.at) / SECOND if heard else None
            found.append((departure, who, seconds))
    return found


def _can_be_judged(history: History, departure: Departure, until: int) -> bool:
    is_long_enough = until < min(departure.back or history.ended, history.ended)
    injected = history.phases.get("inject", history.ended)
    return is_long_enough and (until < injected or not history.bounds.presence_is_disturbed)


def _watchers(history: History, user: str, since: int, until: int) -> Iterator[str]:
    """Who shares a room with somebody and was connected all the time."""
    rooms = {each.room for each in history.of("found") if each.user == user}
    people = {each.user for each in history.of("found") if each.room in rooms} - {user}
    for who, whose in history.listeners.items():
        if whose in people and _is_connected(history, who, since, until):
            yield who


def _is_connected(history: History, who: str, since: int, until: int) -> bool:
    last = ""
    for each in history.opens[who]:
        if each.at > until:
            break
        if each.at > since:
            return False
        last = each.kind
    return last == "ok"


def shown(history: History) -> Iterator[Finding]:
    """In the end who is connected is shown to be here, and who has gone long ago is not."""
    here: dict[str, list[int]] = defaultdict(list)
    for opens in history.opens.values():
        if opens[-1].kind == "ok":
            here[opens[-1].user].append(opens[-1].at)
    gone = {each.user: each for each in departures(history) if each.back is None}
    for each in history.final("presence", "http"):
        since = min(here.get(each.about, [each.at]))
        if each.about in gone:
            wanted = "offline" if _is_over(history, gone[each.about], each.at) else each.status
        else:
            wanted = "online" if each.at - since > ARRIVING * SECOND else each.status
        if each.status != wanted:
            yield Finding("shown", f"{each.user} is shown {each.about} {each.status}, not {wanted}")


def _is_over(history: History, departure: Departure, at: int) -> bool:
    until = departure.at + round(LEAVING[departure.error] * SECOND)
    in_time = at > until and _can_be_judged(history, departure, until)
    return in_time or at - departure.at > AT_MOST * SECOND
