"""Hands each container of docker-compose.yaml its own secrets, made at the first start.

Usage, in a container: python -m local.compose <folder with the volumes> [renew <secret> …]
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from local.own_settings import own_settings, replace
from local.secrets import ensure_private_key, load_secrets, write_privately

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.secrets import Secrets

SETTINGS = Path(__file__).parent.parent / "shared" / "configs" / "env"
# Who reads what: the user of our Dockerfiles, and `postgres` of the official image.
READERS = {"auth_service": 10001, "messaging_service": 10001, "postgres": 999}
ROOT_KEY = "jwt_private_key"


def forget(volumes: Path, names: Sequence[str]) -> None:
    """Have `hand_out` make these anew. Raises ValueError, and then nothing has changed."""
    file = volumes / "all" / "secrets.json"
    known = asdict(load_secrets(file))
    if unknown := set(names) - known.keys() - {ROOT_KEY}:
        there = ", ".join([*known, ROOT_KEY])
        raise ValueError(f"No secret is called {', '.join(sorted(unknown))}. There are {there}.")
    kept = {name: value for name, value in known.items() if name not in names}
    write_privately(file, json.dumps(kept, indent=2).encode())
    if ROOT_KEY in names:
        (volumes / "auth_service" / f"{ROOT_KEY}.pem").unlink(missing_ok=True)


def hand_out(volumes: Path, *, readers: Mapping[str, int]) -> None:
    """Fill `volumes`/<reader> with files which that user id alone may read.

    What was made once stays: it is kept in `volumes`/all, which no other container has. The files
    of settings are written anew, with what shared/configs/env/ says today, own.env there included.
    """
    own = own_settings(SETTINGS)
    files = _files(load_secrets(volumes / "all" / "secrets.json"), own)
    settings = files["auth_service/auth_service.env"]
    algorithm = re.search(r"(?m)^JWT_ALGORITHM=(\S+)$", settings)
    ensure_private_key(
        volumes / "auth_service" / f"{ROOT_KEY}.pem",
        algorithm=algorithm[1] if algorithm else "",
    )
    for file, text in files.items():
        write_privately(volumes / file, text.encode())
    for reader, user in readers.items():
        for path in (volumes / reader).iterdir():
            os.chown(path, user, user)


def _files(secrets: Secrets, own: Mapping[str, str]) -> dict[str, str]:
    return {
        "auth_service/auth_service.env": _settings(
            "auth_service",
            own,
            SECRET_KEY=secrets.auth_django,
            DB_PASSWORD=secrets.auth_database,
            INTERNAL_SECRET=secrets.between_services,
        ),
        "messaging_service/messaging_service.env": _settings(
            "messaging_service",
            own,
            SECRET_KEY=secrets.messaging_django,
            DB_PASSWORD=secrets.messaging_database,
            INTERNAL_SECRET=secrets.between_services,
        ),
        "postgres/superuser": secrets.postgres,
        "postgres/auth": secrets.auth_database,
        "postgres/messaging": secrets.messaging_database,
    }


def _settings(service: str, own: Mapping[str, str], **secrets: str) -> str:
    """Return the service's file of settings with these in place of what it says."""
    text = replace((SETTINGS / f"{service}.env").read_text(), own)
    for name, value in secrets.items():
        text, found = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
        if found != 1:
            raise ValueError(f"{service}.env should name {name} exactly once.")
    return text


if __name__ == "__main__":
    names: list[str] = []
    match sys.argv[1:]:
        case [place]:
            pass
        case [place, "renew", *names] if names:
            pass
        case _:
            sys.exit(__doc__)
    try:
        # Before anything is forgotten.
        own_settings(SETTINGS)
        if names:
            forget(Path(place), names)
        hand_out(Path(place), readers=READERS)
    except ValueError as error:
        sys.exit(str(error))
