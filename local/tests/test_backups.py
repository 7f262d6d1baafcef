"""`make backup` and `make restore`, as somebody at a terminal uses them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from local.tests.runners import Runner


def local(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_a_running_system_is_kept_and_brought_back_when_it_is_stopped(
    runner: Runner, tmp_path: Path
) -> None:
    runner.start()
    runner.ready()
    kept = local(runner.checkout, "backup", str(tmp_path / "kept"))
    assert kept.returncode == 0, kept.stderr
    assert f"Kept in {tmp_path / 'kept'}" in kept.stdout
    files = {file.name for file in (tmp_path / "kept").iterdir()}
    assert files == {"auth.dump", "messaging.dump"}
    refused = local(runner.checkout, "restore", str(tmp_path / "kept"))
    assert (refused.returncode, "Already running" in refused.stderr) == (1, True)
    runner.end()
    restored = local(runner.checkout, "restore", str(tmp_path / "kept"))
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.startswith("Restored.")


def test_what_is_no_backup_is_refused(checkout: Path, tmp_path: Path) -> None:
    refused = local(checkout, "restore", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr.startswith("pg_restore failed:")
