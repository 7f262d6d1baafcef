"""Makes the Secrets of kubernetes/ as folders, one for each; what is there already stays.

Usage: python -m local.kubernetes <folder>
"""

from __future__ import annotations

import sys
from pathlib import Path

from local.compose import READERS, hand_out


def make_secrets(folder: Path) -> None:
    """Fill `folder`/<reader> with what docker-compose.yaml's volumes hold, for us alone to read."""
    for name in ("all", *READERS):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    hand_out(folder, readers={})


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]))
