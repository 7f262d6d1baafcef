"""What docs/operations.md prints for Kubernetes, beside the manifests and kubectl itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import pytest

from local.manifests import renderer
from local.tests.manifests import pods, rendered
from local.tests.operations import printed

BLOCKS = printed("bash", under="Backups on Kubernetes")
TEXT = "\n".join(BLOCKS).replace("\\\n", " ")
SERVERS = {"auth-service", "messaging-service", "messaging-sockets"}
needs_kustomize = pytest.mark.skipif(renderer() is None, reason="takes kubectl or kustomize")


@cache
def options(verb: str) -> set[str]:
    answer = subprocess.run(
        ["kubectl", *verb.split(), "--help"], check=True, capture_output=True, text=True
    )
    return {"--namespace", *re.findall(r"(?<![\w-])(--[a-z][\w-]*)", answer.stdout)}


@pytest.mark.parametrize("block", BLOCKS)
def test_is_a_script(block: str) -> None:
    subprocess.run(["bash", "-n"], input=block, check=True, text=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="takes kubectl")
def test_has_options_that_kubectl_knows() -> None:
    commands = re.findall(
        r"(?m)kubectl (?:--namespace parley )?(create job|rollout status|\w+)(.*?)(?:$| -- )", TEXT
    )
    assert len(commands) > 10
    for verb, words in commands:
        assert set(re.findall(r" (--[a-z][\w-]*)", words)) <= options(verb), verb


@needs_kustomize
class TestNames:
    def test_are_those_of_the_manifests(self) -> None:
        resources = {(kind.lower(), name) for kind, name in rendered("production")}
        named = set(re.findall(r"\b(deployment|job|cronjob)/([\w-]+)", TEXT))
        assert {("deployment", each) for each in SERVERS} < named
        assert named - resources == {("job", "new-epoch")}
        assert "create job new-epoch --from cronjob/new-epoch" in TEXT

    def test_are_of_the_namespace(self) -> None:
        assert {each["metadata"].get("namespace") for each in rendered("production").values()} == {
            "parley",
            None,
        }
        elsewhere = [line for line in TEXT.splitlines() if re.search(r"kubectl (?!--namesp)", line)]
        assert elsewhere == ["  kubectl apply --kustomize $overlay"]

    def test_leave_nobody_running_who_uses_the_databases(self) -> None:
        (services,) = re.findall(r'services="(.*)"', TEXT)
        assert {each.removeprefix("deployment/") for each in services.split()} == SERVERS
        (chosen,) = re.findall(r"kubernetes.io/name in \((.*)\)'", TEXT)
        assert set(chosen.split(", ")) == SERVERS
        for name in SERVERS:
            # Applying the overlay would else start them before the migrations.
            assert "replicas" not in rendered("production")["Deployment", name]["spec"]

    def test_hand_over_to_who_scales(self) -> None:
        (replicas,) = set(re.findall(r"--replicas ([1-9]\d*)", TEXT))
        for name in SERVERS:
            scaler = rendered("production")["HorizontalPodAutoscaler", name]["spec"]
            assert scaler["minReplicas"] <= int(replicas) <= scaler["maxReplicas"]

    def test_lead_to_the_pictures(self) -> None:
        (container,) = pods("production")["auth-service"]["containers"]
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert set(re.findall(r"cd (\S+)", TEXT)) == {mounted["media"]}

    def test_begin_an_epoch_only_when_told_to(self) -> None:
        assert rendered("production")["CronJob", "new-epoch"]["spec"]["suspend"] is True
        (container,) = pods("production")["new-epoch"]["containers"]
        assert container["args"] == ["python", "manage.py", "new_epoch"]
