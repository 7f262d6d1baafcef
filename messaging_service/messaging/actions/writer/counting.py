"""What the writer counts for its metrics."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import prometheus_client

from messaging.actions.writer.sends import Outcome, Sent

_batches: Final = prometheus_client.Histogram(
    "parley_writer_batch_size",
    "Sends that were committed together.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
_sends: Final = prometheus_client.Counter(
    "parley_sends_total", "What became of sends: stored, duplicate, or a refusal.", ["outcome"]
)


def count_batch(size: int) -> None:
    _batches.observe(size)


def count_outcomes(outcomes: Iterable[Outcome]) -> None:
    for outcome, number in Counter(map(_name, outcomes)).items():
        _sends.labels(outcome).inc(number)


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, Sent):
        return "duplicate" if outcome.duplicate else "stored"
    return outcome.code
