"""`python -m local` runs the system; `python -m local reset` forgets its data."""

from __future__ import annotations

import shutil
import sys

from local.errors import CannotStartError
from local.lock import only_one, wait_for_leftovers
from local.runner import HOME, run


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


if __name__ == "__main__":
    sys.exit({"run": run, "reset": reset}[sys.argv[1] if len(sys.argv) > 1 else "run"]())
