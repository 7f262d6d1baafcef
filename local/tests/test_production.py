"""compose.prod.yaml by itself, and over docker-compose.yaml where Docker's compose is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from local.services import ROOT
from local.settings_reference import read
from local.tests.images import FILE, MIGRATIONS, PRODUCTION, SERVERS, compose, config

CONTAINERS = compose()["services"]
SETTINGS = {
    "DOMAIN": "chat.example.org",
    "EMAIL_HOST": "smtp.example.org",
    "TLS_CERTIFICATE": str(FILE),
    "TLS_KEY": str(FILE),
}
ADDED = compose(PRODUCTION)["services"]


def rendered(**settings: str) -> dict[str, Any]:
    """Return every container, those of profiles too, as Docker's own compose merges them."""
    described = config(FILE, PRODUCTION, profiles="observability,mailbox", **settings)
    services: dict[str, Any] = described["services"]
    return services


def mails(services: dict[str, Any]) -> dict[str, str]:
    told = services["authservice"]["environment"].items()
    return {name: value for name, value in told if "EMAIL" in name}


class TestProduction:
    def test_changes_what_is_there(self) -> None:
        assert ADDED.keys() <= CONTAINERS.keys() == rendered(**SETTINGS).keys()

    def test_limits_and_restarts_whatever_goes_on_running(self) -> None:
        running = {name for name, each in CONTAINERS.items() if "restart" in each}
        assert running == {name for name, each in ADDED.items() if "restart" in each}
        for name in running:
            assert ADDED[name]["restart"] == "always"
            assert ADDED[name]["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}
            assert ADDED[name]["logging"]["options"]["max-size"]

    def test_runs_two_of_each_server_of_ours_at_least(self) -> None:
        assert {ADDED[name]["scale"] for name in SERVERS} == {2}

    def test_keeps_what_every_host_must_be_called(self) -> None:
        routes = (ROOT / "traefik" / "dynamic" / "routes.yaml").read_text()
        called = {"127.0.0.1", *re.findall(r"hostname: ([\w.-]+)", routes)}
        for name in SERVERS:
            assert called <= set(ADDED[name]["environment"]["ALLOWED_HOSTS"].split(","))

    @pytest.mark.parametrize("missing", SETTINGS)
    def test_starts_nothing_without_its_settings(self, missing: str) -> None:
        given = {name: value for name, value in SETTINGS.items() if name != missing}
        with pytest.raises(AssertionError, match=f"{missing} is missing a value"):
            rendered(**given)

    def test_mails_by_a_server_over_tls(self) -> None:
        assert mails(rendered(**SETTINGS)) == {
            "EMAIL_HOST": "smtp.example.org",
            "EMAIL_PORT": "587",
            "EMAIL_USE_TLS": "true",
            "EMAIL_USE_SSL": "false",
            "DEFAULT_FROM_EMAIL": "Parley <parley@chat.example.org>",
        }

    def test_mails_as_it_is_told(self) -> None:
        told = {
            "EMAIL_HOST": "",
            "EMAIL_PORT": "465",
            "EMAIL_USE_TLS": "false",
            "EMAIL_USE_SSL": "true",
            "DEFAULT_FROM_EMAIL": "Chat <chat@example.org>",
        }
        assert mails(rendered(**SETTINGS | told)) == told

    def test_has_a_route_to_a_mailbox_only_where_one_is_named(self) -> None:
        def url(**settings: str) -> str:
            described = rendered(**SETTINGS | settings)
            return str(described["traefik"]["environment"]["MAILBOX_URL"])

        assert url() == ""
        assert url(MAILBOX_URL="http://mailbox:8025") == "http://mailbox:8025"

    def test_publishes_tls_and_what_leads_there(self) -> None:
        merged = rendered(**SETTINGS)
        published = {
            (name, port.get("host_ip", ""), port["published"], port["target"])
            for name, each in merged.items()
            for port in each.get("ports", ())
        }
        assert published == {
            ("traefik", "", "80", 8000),
            ("traefik", "", "443", 8443),
            ("traefik", "127.0.0.1", "8001", 8001),
        }
        (static,) = (
            each["source"]
            for each in merged["traefik"]["volumes"]
            if each["target"] == "/etc/traefik/traefik.yaml"
        )
        assert Path(static).name == "traefik.prod.yaml"

    @pytest.mark.parametrize("name", [*SERVERS, *MIGRATIONS])
    def test_tells_services_only_what_they_read(self, name: str) -> None:
        service = CONTAINERS[name]["image"].removeprefix("parley/")
        assert ADDED[name]["environment"].keys() <= read(service).keys()

    def test_holds_no_secret_in_an_environment(self) -> None:
        merged = rendered(**SETTINGS)
        names = {name for each in merged.values() for name in each.get("environment", {})}
        secret = re.compile("SECRET|PASSWORD|KEY|TOKEN")
        assert [each for each in names if secret.search(each) and not each.endswith("_FILE")] == []
