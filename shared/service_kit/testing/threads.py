"""Doing something many times at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """Run it in so many threads, started at one moment, each with its own connection."""
    start = Barrier(number)

    def one(index: int) -> T:
        start.wait(10)
        try:
            return act(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))
