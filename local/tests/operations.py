"""docs/operations.md read: what it prints to be written to a file, or run."""

from __future__ import annotations

import re
from textwrap import dedent

from local.services import ROOT

TEXT = (ROOT / "docs" / "operations.md").read_text()


def section(name: str) -> str:
    (found,) = re.findall(rf"(?ms)^## {re.escape(name)}$(.*?)(?=^## |\Z)", TEXT)
    return str(found)


def printed(language: str, *, under: str) -> list[str]:
    """Return the blocks of this language in the section of this name."""
    blocks = re.findall(rf"(?ms)^( *)```{language}\n(.*?)^\1```$", section(under))
    return [dedent(block) for _, block in blocks]
