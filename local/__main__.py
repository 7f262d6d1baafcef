"""`python -m local` runs the system; `reset` forgets, `backup` keeps, `restore` brings back."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.backups import back_up, restore
from local.errors import CannotStartError, ProcessDiedError
from local.lock import only_one, wait_for_leftovers
from local.runner import HOME, run
from local.services import ROOT
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def reset() -> int:
    """Remove data, secrets and logs, unless the system is running on them."""
    try:
        with only_one(HOME, address="being reset"):
            wait_for_leftovers(HOME)
            shutil.rmtree(HOME)
    except CannotStartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def backup(to: str = "") -> int:
    """Write databases and pictures to a new folder and name it; the system may run meanwhile."""
    folder = Path(to) if to else ROOT / "backups" / time.strftime("%Y-%m-%d_%H-%M-%S")
    with _postgres_alone(may_run=True) as stack:
        back_up(stack, folder)
    print(f"Kept in {folder}: both databases, and pictures. Keys and passwords are not in it.")
    return 0


def bring_back(folder: str = "") -> int:
    """Put a backup in the place of what there is, unless the system is running on it."""
    if not folder:
        raise CannotStartError("Name the backup: make restore FROM=backups/…")
    with _postgres_alone(may_run=False) as stack:
        restore(stack, Path(folder))
    print("Restored. What there was is kept as auth_before, messaging_before and media_before.")
    return 0


@contextmanager
def _postgres_alone(*, may_run: bool) -> Iterator[Stack]:
    """Run Postgres on the system's data, or use the one that does."""
    stack = Stack(home=HOME, port=8000, operators_port=8001, settings=os.environ)
    running = HOME / "postgres" / "data" / "postmaster.pid"
    if may_run and running.exists() and stack.postgres.is_found_at(running):
        yield stack
        return
    with only_one(HOME, address="being backed up or restored"):
        wait_for_leftovers(HOME)
        try:
            stack.postgres.start()
            stack.provide_databases()
            yield stack
        finally:
            stack.postgres.stop()


def main(words: Sequence[str]) -> int:
    """Return the exit code: 0, or 1 if it could not be done, which is said."""
    command, *arguments = words or ["run"]
    verbs = {"run": run, "reset": reset, "backup": backup, "restore": bring_back}
    try:
        return verbs[command](*arguments)
    except CannotStartError as error:
        print(error, file=sys.stderr)
    except ProcessDiedError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
