"""What `make check` holds kubernetes/ against, with kubectl and without."""

from __future__ import annotations

import re

import kubernetes_validate
import pytest

from local.manifests import FOLDER, VERSIONS, check, files, main


class TestCheck:
    def test_reads_every_file(self) -> None:
        patches = {FOLDER / "overlays" / "production" / "gateway.yaml"}
        there = {each for each in FOLDER.rglob("*.yaml") if each.name != "kustomization.yaml"}
        assert set(files()) == there - patches

    def test_is_strict(self) -> None:
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
        check([{**service, "spec": {"ports": [{"port": 80}]}}])
        for wrong in ({"port": "80"}, {"port": 80, "prot": "TCP"}):
            with pytest.raises(kubernetes_validate.ValidationError):
                check([{**service, "spec": {"ports": [wrong]}}])

    def test_is_of_the_oldest_version_promised_and_of_the_newest_known(self) -> None:
        readme = (FOLDER / "README.md").read_text()
        (oldest,) = re.findall(r"Kubernetes (\d+\.\d+) or newer", readme)
        assert (oldest, kubernetes_validate.latest_version().removesuffix(".0")) == VERSIONS

    def test_lets_through_nothing_that_the_oldest_does_not_know(self) -> None:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
        spec = {"containers": [{"name": "x"}]}
        check([{**pod, "spec": spec}])
        with pytest.raises(kubernetes_validate.ValidationError):
            check([{**pod, "spec": {**spec, "hostnameOverride": "since-1-34"}}])

    def test_says_what_it_left_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PATH", "")
        main()
        assert "for want of kubectl" in capsys.readouterr().out
