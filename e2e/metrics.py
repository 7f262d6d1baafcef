"""What a process counts, as Prometheus reads it."""

from __future__ import annotations

import time

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, str], float]

SECONDS = 3.0
POLL_SECONDS = 0.02


def read(url: str, *, host: str = "localhost") -> Samples:
    """Each sample by its name and the values of its labels."""
    answer = httpx.get(url, headers={"Host": host}, timeout=5)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


class Counted:
    """What a process has counted since this began."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.before = read(url)

    def __call__(self, name: str, *labels: str) -> float:
        key = (name, " ".join(labels))
        return read(self.url).get(key, 0.0) - self.before.get(key, 0.0)

    def soon(self, name: str, *labels: str, at_least: float = 1, within: float = SECONDS) -> None:
        """Wait for what is counted after the client was answered."""
        deadline = time.monotonic() + within
        while self(name, *labels) < at_least:
            assert time.monotonic() < deadline, (name, labels)
            time.sleep(POLL_SECONDS)
