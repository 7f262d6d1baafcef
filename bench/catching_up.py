"""What somebody missed: a thousand changes of one room, or one in each of a thousand rooms."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING

from bench import rooms
from bench.measurements import Measurement, percentile
from bench.talk import Talk
from bench.writing import WrongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.stage import Stage

ONE_ROOM = "1,000 changes missed"
MANY_ROOMS = "1,000 rooms to catch up"
TIMES = 10


class CatchingUp:
    """From the `sync` that asks to the last `synced` that answers; nothing may be left out."""

    def __init__(self, stage: Stage) -> None:
        self._parley = stage.parley
        self._parley.seed("missed", "many")

    def measure(self, number: int) -> Iterator[Measurement]:
        one = self._parley.path_of(rooms.READER, rooms.MISSED)
        yield self._timed(ONE_ROOM, one, _one_room, number)
        yield self._timed(MANY_ROOMS, self._parley.path_of(rooms.in_many(0)), _many_rooms, number)

    def _timed(
        self, workload: str, path: str, catch_up: Callable[[Talk], int], number: int
    ) -> Measurement:
        talk = Talk(self._parley.port, path)
        talk.hear_of("ready")
        taken, told = [], 0
        for _ in range(TIMES):
            begin = perf_counter()
            told += catch_up(talk)
            taken.append(1_000 * (perf_counter() - begin))
        talk.close()
        return Measurement(
            round=number,
            workload=workload,
            system=self._parley.name,
            p50=percentile(taken, 0.5),
            p99=percentile(taken, 0.99),
            delivered=told,
            due=1_000 * TIMES,
        )


def _one_room(talk: Talk) -> int:
    """Return how many changes were told; a page at a time, until there are no more."""
    told, synced = 0, {"pos": 0, "more": 1}
    while synced["more"]:
        talk.say(f'{{"type":"sync","after":{synced["pos"]}}}')
        found, synced = _until_synced(talk)
        told += found
    return told


def _many_rooms(talk: Talk) -> int:
    asked = rooms.of_many(0)
    talk.say(json.dumps({"type": "sync", "rooms": {str(room): 0 for room in asked}}))
    return sum(_until_synced(talk)[0] for _ in asked)


def _until_synced(talk: Talk) -> tuple[int, dict[str, int]]:
    """Return the number of messages before the next `synced`, and what it says."""
    told = 0
    while not (text := talk.hear()).startswith(b'{"type":"synced"'):
        if text.startswith(b'{"type":"error"'):
            raise WrongError(text.decode())
        told += text.startswith(b'{"type":"message"')
    synced = json.loads(text)
    if not synced["complete"]:
        raise WrongError(text.decode())
    return told, synced
