"""The running systems, each started when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from bench.systems import Parley

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from bench.engines import Engines
    from bench.measurements import Measurement

T = TypeVar("T")
S = TypeVar("S", bound="Stoppable")


class Stoppable(Protocol):
    def __init__(self, engines: Engines) -> None: ...

    def stop(self) -> None: ...


class Stage:
    """`quick` asks for results that only show that everything works; `started` stops it all."""

    def __init__(self, engines: Engines, started: ExitStack, *, quick: bool) -> None:
        self.engines = engines
        self.started = started
        self.quick = quick
        self._systems: dict[type, Stoppable] = {}

    def system(self, kind: type[S]) -> S:
        """Return the one running system of this kind."""
        known = self._systems.get(kind)
        if isinstance(known, kind):
            return known
        self._systems[kind] = system = kind(self.engines)
        self.started.callback(system.stop)
        return system

    @property
    def parley(self) -> Parley:
        return self.system(Parley)

    def seconds(self, usual: float) -> float:
        return min(1.0, usual) if self.quick else usual


class Part(Protocol):
    """Workloads that are measured together, the systems taking turns in each round."""

    def __init__(self, stage: Stage) -> None: ...

    def measure(self, number: int) -> Iterator[Measurement]:
        """Do round `number`, from 1."""


def turned(items: Sequence[T], number: int) -> list[T]:
    """Let another one be first in each round."""
    first = number % len(items)
    return [*items[first:], *items[:first]]
