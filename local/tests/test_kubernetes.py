"""kubernetes/ beside docker-compose.yaml, and what every pod of it keeps to."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

import pytest
import yaml

from local.compose import READERS
from local.kubernetes import make_secrets
from local.manifests import FOLDER, OVERLAYS, renderer
from local.services import ROOT
from local.settings_reference import read
from local.tests.images import command, compose, instruction
from local.tests.manifests import containers, may_speak, pods, rendered, setting

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = {
    "auth-service": "authservice",
    "messaging-service": "messaging_service",
    "messaging-sockets": "messaging_sockets",
}
JOBS = ("auth-migrate", "messaging-migrate", "new-epoch")
SERVICES = {"auth-service": "auth_service", "messaging-service": "messaging_service"}
CONTAINERS = compose()["services"]
needs_kustomize = pytest.mark.skipif(renderer() is None, reason="takes kubectl or kustomize")


overlays = pytest.mark.parametrize("overlay", [each.name for each in OVERLAYS])


@needs_kustomize
@overlays
class TestPods:
    def test_may_do_little(self, overlay: str) -> None:
        for name, pod in pods(overlay).items():
            assert pod["securityContext"]["runAsNonRoot"] is True, name
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            # Or REDIS_PORT would be tcp://10.0.0.1:6379.
            assert pod["enableServiceLinks"] is False
            for container in containers(pod):
                assert container["securityContext"] == {
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                }
                assert container["resources"]["limits"]["memory"]

    def test_of_ours_run_as_their_images_do(self, overlay: str) -> None:
        for name in (*SERVERS, *JOBS):
            service = "auth_service" if name.startswith("auth") else "messaging_service"
            security = pods(overlay)[name]["securityContext"]
            user, group = map(int, instruction(service, "USER").split(":"))
            assert (security["runAsUser"], security["runAsGroup"]) == (user, group)
            assert security["fsGroup"] == group

    def test_are_asked_by_a_name_they_answer_to(self, overlay: str) -> None:
        for name in SERVERS:
            (container,) = pods(overlay)[name]["containers"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                (header,) = container[probe]["httpGet"]["httpHeaders"]
                assert header["name"] == "Host"
                assert header["value"] in setting(overlay, name, "ALLOWED_HOSTS").split(",")
            assert container["readinessProbe"]["httpGet"]["path"] == "/health/serving"

    def test_are_told_only_settings_that_there_are(self, overlay: str) -> None:
        for name, service in SERVICES.items():
            told = rendered(overlay)["ConfigMap", name]["data"]
            assert told.keys() <= read(service).keys()

    def test_have_time_to_leave(self, overlay: str) -> None:
        for name in SERVERS:
            pod = pods(overlay)[name]
            (container,) = pod["containers"]
            pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            grace = int(CONTAINERS[SERVERS[name]]["stop_grace_period"].removesuffix("s"))
            assert pod["terminationGracePeriodSeconds"] >= pause + grace

    def test_are_chosen_by_every_policy_and_service_that_means_them(self, overlay: str) -> None:
        resources = rendered(overlay)
        for (kind, name), each in resources.items():
            if kind in {"Service", "PodDisruptionBudget"}:
                chosen = each["spec"]["selector"]
                label = chosen.get("matchLabels", chosen)["app.kubernetes.io/name"]
                assert label in pods(overlay), name
            if kind == "HorizontalPodAutoscaler":
                assert ("Deployment", each["spec"]["scaleTargetRef"]["name"]) in resources
        for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
            assert set(SERVERS) <= {name for found, name in resources if found == kind}

    def test_speak_only_where_a_policy_allows(self, overlay: str) -> None:
        resources = rendered(overlay)
        nobody = resources["NetworkPolicy", "nobody-to-nobody"]["spec"]
        assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        policies = [each for (kind, _), each in resources.items() if kind == "NetworkPolicy"]
        from_anywhere = {
            each["metadata"]["name"]
            for each in policies
            for rule in each["spec"].get("ingress", ())
            if "from" not in rule
        }
        assert from_anywhere == {"gateway"}

    def test_speak_as_they_have_to(self, overlay: str) -> None:
        for name in SERVERS:
            assert may_speak(overlay, "traefik", name, 8080)
            assert not may_speak(overlay, "traefik", name, 5432)
        for name in ("messaging-service", "messaging-sockets"):
            assert may_speak(overlay, name, "auth-service", 8080)
        assert may_speak(overlay, "auth-service", "messaging-service", 8080)
        assert not may_speak(overlay, "auth-service", "messaging-sockets", 8080)
        for store, port in {"postgres": 5432, "redis": 6379}.items():
            inside = overlay == "local"
            for name in (*SERVERS, *JOBS):
                assert may_speak(overlay, name, store, port) is inside
            assert not may_speak(overlay, "traefik", store, port)

    def test_find_the_services_by_the_names_they_use(self, overlay: str) -> None:
        names = {name for kind, name in rendered(overlay) if kind == "Service"}
        (gateway,) = pods(overlay)["traefik"]["containers"]
        urls = [each["value"] for each in gateway["env"] if each["name"].endswith("_URLS")]
        assert len(urls) == 3
        assert {re.sub(r"http://(.*):8080", r"\1", each) for each in urls} <= names
        # The defaults of AUTH_API_URL and MESSAGING_API_URL.
        assert {"authservice", "messaging-service"} <= names


@needs_kustomize
class TestBesideCompose:
    def test_runs_the_same_commands(self) -> None:
        (sockets,) = pods("local")["messaging-sockets"]["containers"]
        assert sockets["args"] == command("messaging_sockets")
        entrypoint = instruction("messaging_service", "ENTRYPOINT")
        assert yaml.safe_load(entrypoint) == sockets["command"]
        for name in ("auth", "messaging"):
            (migration,) = pods("local")[f"{name}-migrate"]["containers"]
            assert migration["args"] == command(f"{name}_migrate")
        for name in ("postgres", "redis"):
            (store,) = pods("local")[name]["containers"]
            assert store["args"] == command(name)
            assert store["image"] == CONTAINERS[name]["image"]

    def test_makes_the_same_databases(self) -> None:
        made = rendered("local")["ConfigMap", "databases"]["data"]["databases.sql"]
        statements = [line for line in made.splitlines() if not line.startswith("--")]
        assert statements == compose()["configs"]["databases"]["content"].splitlines()

    def test_makes_the_cluster_in_the_same_way(self) -> None:
        (store,) = pods("local")["postgres"]["containers"]
        told = {each["name"]: each["value"] for each in store["env"]}
        assert told == CONTAINERS["postgres"]["environment"]

    def test_mounts_every_file_of_the_gateway(self) -> None:
        (gateway,) = pods("production")["traefik"]["containers"]
        mounted = {each["mountPath"] for each in gateway["volumeMounts"]}
        there = {each.name for each in (ROOT / "traefik" / "dynamic").iterdir()}
        # Routes to what only docker-compose.yaml runs.
        there -= {"observability.yaml", "mailbox.yaml"}
        assert {f"/etc/traefik/dynamic/{name}" for name in there} <= mounted
        (static,) = (
            each for each in gateway["volumeMounts"] if each["mountPath"].endswith("traefik.yaml")
        )
        assert static["subPath"] == "traefik.prod.yaml"


class TestSecrets:
    def test_are_what_the_pods_mount(self, tmp_path: Path) -> None:
        make_secrets(tmp_path / "secrets")
        made = {
            each.name: {file.name for file in each.iterdir()}
            for each in (tmp_path / "secrets").iterdir()
        }
        assert made == {
            "all": {"secrets.json"},
            "auth_service": {"auth_service.env", "jwt_private_key.pem"},
            "messaging_service": {"messaging_service.env"},
            "postgres": {"superuser", "auth", "messaging"},
        }
        assert made.keys() - {"all"} == READERS.keys()
        modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.rglob("*/*/*")}
        assert modes == {0o600}

    def test_stay_when_made_again(self, tmp_path: Path) -> None:
        make_secrets(tmp_path)
        before = {each: each.read_text() for each in tmp_path.glob("*/*")}
        make_secrets(tmp_path)
        assert {each: each.read_text() for each in tmp_path.glob("*/*")} == before

    def test_are_in_no_file(self) -> None:
        assert [each for each in FOLDER.rglob("*.yaml") if "kind: Secret" in each.read_text()] == []
