"""Connections of as many pods as the manifests allow, beside docs/operations.md and Postgres."""

from __future__ import annotations

import re

import pytest

from local.manifests import renderer
from local.tests.manifests import pods, rendered
from local.tests.operations import TEXT

pytestmark = pytest.mark.skipif(renderer() is None, reason="takes kubectl or kustomize")
SERVERS = ("auth-service", "messaging-service", "messaging-sockets")
(FORMULA,) = re.findall(r"`(\d+) \S auth \+ (\d+) \S HTTP \+ (\d+) \S sockets` at most", TEXT)
EACH = dict(zip(SERVERS, map(int, FORMULA), strict=True))


def connections(overlay: str, bound: str) -> tuple[int, int]:
    """Return what the pods take at this bound of the autoscalers, and while all are replaced."""
    serving = replacing = 0
    for name, each in EACH.items():
        count = rendered(overlay)["HorizontalPodAutoscaler", name]["spec"][bound]
        rolling = rendered(overlay)["Deployment", name]["spec"]["strategy"]["rollingUpdate"]
        surge = count if rolling["maxSurge"] == "100%" else rolling["maxSurge"]
        serving += each * count
        replacing += each * (count + surge)
    return serving, replacing


@pytest.mark.parametrize(
    ("bound", "row"),
    [
        ("minReplicas", r"the least of `\S+/production`"),
        ("maxReplicas", "the most of its autoscalers"),
    ],
)
def test_documents_say_what_production_takes(bound: str, row: str) -> None:
    (written,) = re.findall(rf"{row} \| (\d+) \| (\d+) \|", TEXT)
    assert tuple(map(int, written)) == connections("production", bound)


def test_postgres_takes_as_many_as_one_machine_may_have() -> None:
    (postgres,) = pods("local")["postgres"]["containers"]
    (most,) = (each for each in postgres["args"] if each.startswith("max_connections="))
    to_spare = 10
    _, replacing = connections("local", "maxReplicas")
    assert replacing + to_spare <= int(most.removeprefix("max_connections="))
