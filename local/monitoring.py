"""Prints what the Prometheus Operator takes: whom to ask, and the alerts; both of observability/.

Usage: python -m local.monitoring | kubectl apply --filename -
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "observability" / "prometheus"
API = "monitoring.coreos.com/v1"
# What runs in a job's pods, and the name of the port that answers.
PODS = {
    "authservice": ("auth-service", "http"),
    "messaging_service": ("messaging-service", "http"),
    "messaging_sockets": ("messaging-sockets", "http"),
    "traefik": ("traefik", "operators"),
}


def monitors() -> Iterator[dict[str, Any]]:
    """Yield a PodMonitor for each job that Prometheus has in Docker; alerts ask by its name."""
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    for job in (each["job_name"] for each in config["scrape_configs"]):
        name, port = PODS[job]
        endpoint = {
            "port": port,
            "interval": config["global"]["scrape_interval"],
            "relabelings": [{"targetLabel": "job", "replacement": job}],
        }
        pods = {"matchLabels": {"app.kubernetes.io/name": name}}
        yield _resource("PodMonitor", name, selector=pods, podMetricsEndpoints=[endpoint])


def rules() -> dict[str, Any]:
    """Return the alerts as a PrometheusRule."""
    alerts = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return _resource("PrometheusRule", "parley", **alerts)


def _resource(kind: str, name: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - any YAML
    metadata = {"name": name, "namespace": "parley"}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


if __name__ == "__main__":
    print(yaml.safe_dump_all([*monitors(), rules()]), end="")
