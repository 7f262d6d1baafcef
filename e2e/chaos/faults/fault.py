"""One line of the table of faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from e2e.history.history import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from e2e.chaos.crowd import Crowd
    from e2e.chaos.wire import Wire

    # Broken when it is entered, healed when it is left.
    Strike = Callable[[Crowd], AbstractContextManager[object]]


class ImpossibleError(Exception):
    """This machine cannot be made to have such a fault: it says what is missing."""


@dataclass(frozen=True)
class Fault:
    """Something that is broken for `seconds`, and what holds all the same.

    With `over` second devices are in a network of their own, at its other end.
    """

    name: str
    strike: Strike
    seconds: float = 0.0
    bounds: Bounds = field(default_factory=Bounds)
    over: type[Wire] | None = None
