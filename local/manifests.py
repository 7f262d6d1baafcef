"""Holds kubernetes/ against the schemas of Kubernetes, with nothing allowed that they do not name.

Usage: python -m local.manifests
"""

from __future__ import annotations

import shutil
import subprocess
from itertools import product
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import yaml

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ROOT / "kubernetes"
OVERLAYS = tuple(sorted((FOLDER / "overlays").iterdir()))
# The oldest that kubernetes/README.md promises, and the newest there is a schema of.
VERSIONS = ("1.30", "1.37")


def files() -> Iterator[Path]:
    """Yield the files that hold whole resources: what a kustomization lists as such."""
    for folder in (FOLDER / "base", *OVERLAYS):
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        yield from (folder / name for name in listed if name.endswith(".yaml"))


def renderer() -> list[str] | None:
    """Return the command that renders an overlay, if there is one on this machine."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def render(folder: Path) -> list[dict[str, Any]]:
    """Return the resources of an overlay. Raises CalledProcessError if it is none."""
    command = [*(renderer() or ()), str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(answer.stdout))


def check(resources: list[dict[str, Any]]) -> None:
    """Raise kubernetes_validate.ValidationError for the first that some version would not take."""
    for resource, version in product(resources, VERSIONS):
        kubernetes_validate.validate(resource, version, strict=True)


def main() -> None:
    """Check every file by itself, and every overlay as it is applied."""
    for file in files():
        check(list(yaml.safe_load_all(file.read_text())))
    if renderer() is None:
        print("kubernetes/: for want of kubectl or kustomize no overlay was rendered and checked.")
        return
    for folder in OVERLAYS:
        check(render(folder))


if __name__ == "__main__":
    main()
