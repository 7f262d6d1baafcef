"""The Makefile before there is anything to run: what it asks of a bare machine."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from local.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def python_that(folder: Path, answer: str) -> str:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    return f"PYTHON={program}"


class TestHelp:
    def test_is_what_make_alone_says(self, tmp_path: Path) -> None:
        said = make(tmp_path).stdout
        for word in ("run", "test", "check", "e2e", "bench", "reset", "lock"):
            assert f"make {word} " in said


class TestRun:
    def test_names_the_missing_package_in_one_line(self, tmp_path: Path) -> None:
        python = python_that(tmp_path, 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
        answer = make(tmp_path, "run", python)
        assert answer.returncode != 0
        first = answer.stderr.splitlines()[0]
        assert first.endswith("lacks venv: apt-get install python3-venv, then again.")
        assert not (tmp_path / ".venv").exists()

    def test_names_the_version_it_needs(self, tmp_path: Path) -> None:
        answer = make(tmp_path, "run", python_that(tmp_path, "exit 1"))
        assert answer.returncode != 0
        assert answer.stderr.startswith("Python 3.11 or newer is needed")
