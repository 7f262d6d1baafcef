"""Alerts and dashboard by themselves; what they ask for is compared in test_containers.py."""

from __future__ import annotations

import re

import pytest
import yaml

from local.services import ROOT
from local.tests.images import compose
from local.tests.observability import FOLDER, expressions, panels, rules, selectors

CONTAINERS = compose()["services"]
PROMETHEUS = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yaml").read_text())


class TestExpressions:
    @pytest.mark.parametrize("expression", expressions())
    def test_are_promql_about_something(self, expression: str) -> None:
        assert list(selectors(expression))


class TestRules:
    @pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
    def test_say_what_is_wrong_and_what_to_do(self, rule: dict[str, dict[str, str]]) -> None:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}

    def test_are_read_by_prometheus(self) -> None:
        (file,) = PROMETHEUS["rule_files"]
        assert self._in_container("prometheus", file) == FOLDER / "prometheus" / "alerts.yaml"

    def test_reach_whom_the_printed_file_names(self) -> None:
        ((found,),) = [each["file_sd_configs"] for each in PROMETHEUS["alerting"]["alertmanagers"]]
        (file,) = found["files"]
        place = self._in_container("prometheus", file)
        told = (ROOT / "docs" / "operations.md").read_text()
        assert place == FOLDER / "prometheus" / "alertmanagers.yaml"
        assert "`observability/prometheus/alertmanagers.yaml`" in told
        (printed,) = re.findall(r"(?ms)^```yaml\n(- targets.*?)^```$", told)
        assert yaml.safe_load(printed)[0].keys() == {"targets"}

    @staticmethod
    def _in_container(name: str, path: str) -> object:
        for mount in CONTAINERS[name]["volumes"]:
            source, target, *_ = mount.split(":")
            if path.startswith(target):
                return ROOT / source / path.removeprefix(target).lstrip("/")
        return None


class TestTargets:
    def test_are_every_container_that_counts(self) -> None:
        asked = {
            name
            for job in PROMETHEUS["scrape_configs"]
            for found in job.get("dns_sd_configs", ())
            for name in found["names"]
        }
        assert asked == {"authservice", "messaging_service", "messaging_sockets"}
        ports = {
            found["port"]
            for job in PROMETHEUS["scrape_configs"][:3]
            for found in job["dns_sd_configs"]
        }
        assert ports == {8080}


class TestDashboard:
    def test_names_its_panels_apart(self) -> None:
        names = [panel["title"] for panel in panels()]
        assert len(names) == len(set(names))

    def test_asks_the_source_that_is_provided(self) -> None:
        file = FOLDER / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
        (source,) = yaml.safe_load(file.read_text())["datasources"]
        assert {panel["datasource"]["uid"] for panel in panels()} == {source["uid"]}
        address = "--web.external-url=http://localhost:8001/prometheus/"
        assert address in CONTAINERS["prometheus"]["command"]
        assert source["url"] == "http://prometheus:9090/prometheus"

    def test_lies_where_grafana_looks(self) -> None:
        file = FOLDER / "grafana" / "provisioning" / "dashboards" / "parley.yaml"
        (provider,) = yaml.safe_load(file.read_text())["providers"]
        mounted = dict(mount.split(":")[1::-1] for mount in CONTAINERS["grafana"]["volumes"])
        assert mounted[provider["options"]["path"]] == "./observability/grafana/dashboards"

    def test_is_for_who_reaches_the_operators_port(self) -> None:
        text = (ROOT / "traefik" / "dynamic" / "observability.yaml").read_text()
        assert set(re.findall(r"entryPoints: \[(\w+)\]", text)) == {"operators"}
        assert CONTAINERS["traefik"]["environment"]["OBSERVABILITY"] == "true"
