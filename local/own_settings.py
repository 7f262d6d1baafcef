"""What an operator sets besides our files of settings: own.env beside them, in no repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "own.env"
SERVICES = ("auth_service", "messaging_service")


def own_settings(folder: Path) -> dict[str, str]:
    """Return what it says, or nothing where it is not.

    Raises ValueError, which holds names alone, for what no service reads and what is made for them.
    """
    file = folder / NAME
    own = dict(re.findall(r"(?m)^([^#=\n]+)=(.*)$", file.read_text() if file.exists() else ""))
    ours = "\n".join((folder / f"{service}.env").read_text() for service in SERVICES)
    if unknown := own.keys() - set(re.findall(r"(?m)^#?([A-Z][A-Z0-9_]*)=", ours)):
        raise ValueError(f"{NAME}: no service reads {', '.join(sorted(unknown))}")
    if made := own.keys() & set(re.findall(r"(?m)^([A-Z][A-Z0-9_]*)=change-me$", ours)):
        raise ValueError(f"{NAME}: {', '.join(sorted(made))} must be set in secrets.json")
    return own


def replace(text: str, settings: Mapping[str, str]) -> str:
    """Return a file of settings with these in place of what it says of them, if it does."""
    for name, value in settings.items():
        line = f"{name}={value}".replace("\\", r"\\")
        text = re.sub(rf"(?m)^#?{name}=.*$", line, text)
    return text
