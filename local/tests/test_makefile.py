"""The Makefile before there is anything to run: what it asks of a bare machine."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def make(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **settings},
        check=False,
        capture_output=True,
        text=True,
    )


def python_that(folder: Path, answer: str) -> str:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    return f"PYTHON={program}"


class TestHelp:
    def test_is_what_make_alone_says(self, tmp_path: Path) -> None:
        said = make(tmp_path).stdout
        for word in ("run", "up", "down", "logs", "test", "check", "bench", "lock"):
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


class TestDocker:
    @pytest.mark.parametrize("word", ["up", "down", "logs"])
    def test_says_what_is_missing(self, word: str, tmp_path: Path) -> None:
        self._docker(tmp_path, "exit 1")
        answer = make(tmp_path, word, PATH=f"{tmp_path}:{os.defpath}")
        assert answer.returncode != 0
        first = answer.stderr.splitlines()[0]
        assert first == "Docker with its compose plugin is needed; make run does without."

    def test_says_that_no_engine_answers(self, tmp_path: Path) -> None:
        self._docker(tmp_path, 'test "$1" != info')
        answer = make(tmp_path, "up", PATH=f"{tmp_path}:{os.defpath}")
        assert answer.stderr.startswith("No Docker engine answers")

    @pytest.mark.parametrize(
        ("word", "asked"),
        [
            ("up", "compose up --build --detach"),
            ("down", "compose down"),
            ("logs", "compose logs --follow --tail=100"),
        ],
    )
    def test_asks_docker(self, word: str, asked: str, tmp_path: Path) -> None:
        self._docker(tmp_path, f'echo "$@" >>{tmp_path}/asked')
        assert make(tmp_path, word, PATH=f"{tmp_path}:{os.defpath}").returncode == 0
        assert (tmp_path / "asked").read_text().splitlines()[-1] == asked

    @staticmethod
    def _docker(folder: Path, answer: str) -> None:
        program = folder / "docker"
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
