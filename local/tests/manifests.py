"""Overlays of kubernetes/ as they are applied, by what a test asks of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from local.manifests import FOLDER, render


@cache
def rendered(overlay: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the resources of an overlay by kind and name; generated names without their hash."""
    found = {}
    for each in render(FOLDER / "overlays" / overlay):
        name = each["metadata"]["name"]
        if each["kind"] == "ConfigMap":
            name = name.rpartition("-")[0]
        found[each["kind"], name] = each
    return found


def pods(overlay: str) -> dict[str, dict[str, Any]]:
    found = {}
    for (kind, name), each in rendered(overlay).items():
        if kind in {"Deployment", "StatefulSet", "Job"}:
            found[name] = each["spec"]["template"]["spec"]
        elif kind == "CronJob":
            found[name] = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def setting(overlay: str, service: str, name: str) -> str:
    """Return what the pods of a service are told for a setting."""
    owner = "auth-service" if service == "auth-service" else "messaging-service"
    return str(rendered(overlay)["ConfigMap", owner]["data"][name])


def selects(selector: dict[str, Any], name: str) -> bool:
    """Say whether a selector of ours means the pods of this name."""
    label = "app.kubernetes.io/name"
    chosen = [[value] for key, value in selector.get("matchLabels", {}).items() if key == label]
    chosen += [
        each["values"] for each in selector.get("matchExpressions", ()) if each["key"] == label
    ]
    return all(name in values for values in chosen)


def may_speak(overlay: str, source: str, target: str, port: int) -> bool:
    """Say whether the policies let one pod out and the other in."""
    numbers = {"http": 8080, "postgres": 5432, "redis": 6379}

    def allows(pod: str, other: str, direction: str, peers: str) -> bool:
        return any(
            selects(peer.get("podSelector", {}), other) and "podSelector" in peer
            for (kind, _), each in rendered(overlay).items()
            if kind == "NetworkPolicy" and selects(each["spec"]["podSelector"], pod)
            for rule in each["spec"].get(direction, ())
            if port in {numbers.get(found["port"], found["port"]) for found in rule["ports"]}
            for peer in rule.get(peers, ())
        )

    return allows(source, target, "egress", "to") and allows(target, source, "ingress", "from")


def may_enter(overlay: str, namespace: str, target: str, port: str) -> bool:
    """Say whether the policies let pods of another namespace reach a port of ours, by its name."""
    source = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return any(
        peer == {"namespaceSelector": source}
        for (kind, _), each in rendered(overlay).items()
        if kind == "NetworkPolicy" and selects(each["spec"]["podSelector"], target)
        for rule in each["spec"].get("ingress", ())
        if port in {found["port"] for found in rule["ports"]}
        for peer in rule.get("from", ())
    )
