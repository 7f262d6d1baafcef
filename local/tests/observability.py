"""What Prometheus and Grafana are told to ask for, as far as it can be read without them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import promql_parser
import yaml

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FOLDER = ROOT / "observability"
ALERTS = FOLDER / "prometheus" / "alerts.yaml"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "parley.json"
# What Prometheus adds to whatever it asks.
ADDED = {"job", "instance"}


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> list[str]:
    """Return every expression; what Grafana fills in is filled in."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [
        *(rule["expr"] for rule in rules()),
        *(re.sub(r"\$__\w+", "5m", each) for each in asked),
    ]


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric an expression names, with the labels it chooses by."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    for each in found:
        selector = getattr(each, "vector_selector", each)
        if isinstance(selector, promql_parser.VectorSelector):
            yield selector.name or "", {matcher.name for matcher in selector.matchers.matchers}


def labels_of(texts: Sequence[str]) -> Mapping[str, set[str]]:
    """Return the labels of every metric in what /metrics answers; an unused one has none yet."""
    known: dict[str, set[str]] = {"up": set()}
    for text in texts:
        for name, kind in re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text):
            for end in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
                known.setdefault(f"{name}{end}", set())
        for name, labels in re.findall(r"(?m)^(\w+)\{(.*)\} ", text):
            known.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return known
