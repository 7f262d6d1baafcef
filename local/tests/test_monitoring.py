"""Operators on Kubernetes: their port, and what Prometheus may ask and is told to."""

from __future__ import annotations

import re

import pytest
import yaml

from local.manifests import OVERLAYS, renderer
from local.monitoring import PODS, monitors, rules
from local.tests import observability
from local.tests.manifests import may_enter, pods, setting

pytestmark = pytest.mark.skipif(renderer() is None, reason="takes kubectl or kustomize")
MONITORS = {each["metadata"]["name"]: each["spec"] for each in monitors()}


@pytest.mark.parametrize("overlay", [each.name for each in OVERLAYS])
@pytest.mark.parametrize("service", ["auth-service", "messaging-service"])
def test_admin_answers_to_the_name_a_forwarded_port_has(overlay: str, service: str) -> None:
    assert {"localhost", "127.0.0.1"} <= set(setting(overlay, service, "ALLOWED_HOSTS").split(","))


class TestMonitors:
    def test_are_of_every_job_that_docker_has(self) -> None:
        file = observability.FOLDER / "prometheus" / "prometheus.yaml"
        jobs = {each["job_name"] for each in yaml.safe_load(file.read_text())["scrape_configs"]}
        endpoints = [spec["podMetricsEndpoints"][0] for spec in MONITORS.values()]
        assert {each["relabelings"][0]["replacement"] for each in endpoints} == jobs

    @pytest.mark.parametrize("name", MONITORS)
    def test_choose_pods_that_have_the_port_and_let_prometheus_in(self, name: str) -> None:
        (endpoint,) = MONITORS[name]["podMetricsEndpoints"]
        assert MONITORS[name]["selector"] == {"matchLabels": {"app.kubernetes.io/name": name}}
        (container,) = pods("production")[name]["containers"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports[endpoint["port"]] == (8001 if name == "traefik" else 8080)
        assert may_enter("production", "monitoring", name, endpoint["port"])

    def test_let_in_nobody_else(self) -> None:
        assert not may_enter("production", "elsewhere", "traefik", "operators")
        assert not may_enter("production", "monitoring", "traefik", "web")


class TestRules:
    def test_are_those_of_docker(self) -> None:
        (group,) = rules()["spec"]["groups"]
        assert group["rules"] == observability.rules()

    def test_notice_any_process_of_ours_that_is_down_and_no_other(self) -> None:
        (down,) = (each["expr"] for each in observability.rules() if each["alert"] == "ProcessDown")
        named = re.fullmatch(r'up\{job=~"(.+)"\} == 0', down)
        assert named
        jobs = {
            spec["podMetricsEndpoints"][0]["relabelings"][0]["replacement"]
            for spec in MONITORS.values()
        }
        assert jobs <= set(named[1].split("|")) <= PODS.keys()
