"""docs/first-steps.md, typed as it is written by somebody who is new."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import httpx

from e2e.terminals import at, blocks, terminal
from local.services import ROOT

if TYPE_CHECKING:
    from local.stack import Stack

STEPS = (ROOT / "docs" / "first-steps.md").read_text()
SIGN_UP, READ, CONFIRM, ENROL, LOG_IN, FIND, ACCEPT, EXPORT = blocks(STEPS)
FILE = Path("/tmp/carol.zip")  # noqa: S108 - it is what the document says


def mail_came(stack: Stack, address: str) -> None:
    """Wait as somebody does who looks at his mails now and then."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        mails = httpx.get(f"http://localhost:{stack.operators_port}/mail/api/v1/messages").json()
        if mails["messages"] and mails["messages"][0]["To"][0]["Address"] == address:
            return
        time.sleep(0.1)
    raise AssertionError(mails)


class TestANewcomer:
    def test_gets_from_signing_up_to_an_export(self, stack: Stack) -> None:
        with terminal(ROOT) as shell:
            shell.types(at(stack, SIGN_UP))
            shell.shows('"username":"carol"')
            shell.shows('"email_verified":false')
            mail_came(stack, "carol@example.com")
            shell.types(at(stack, READ))
            shell.shows("is the code that confirms this address for the account carol")
            shell.types(at(stack, CONFIRM))
            shell.shows('"email_verified":true')
            shell.types(at(stack, ENROL))
            shell.shows('"recovery_codes":[')
            shell.types(at(stack, LOG_IN))
            shell.shows('"current":true')
            shell.types(at(stack, FIND))
            shell.shows('"username":"bob","display_name":"Bob"')
            shell.shows('"state":"pending"')
            shell.types(at(stack, ACCEPT))
            shell.shows('"direction":"outgoing","state":"accepted"')
            shell.types(at(stack, EXPORT))
            shell.shows("Modified")
            shell.shows("account")
        with ZipFile(FILE) as export:
            text = b"".join(export.read(name) for name in export.namelist()).decode()
        FILE.unlink()
        assert "carol@example.com" in text
        assert "accepted" in text
