"""The lines `make run` prints, typed as they stand."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from local import demo
from local.services import ROOT

if TYPE_CHECKING:
    from local.stack import Stack


@pytest.fixture
def accounts(stack: Stack) -> None:
    demo.ensure_accounts(stack.port)


@pytest.mark.usefixtures("accounts")
class TestLines:
    def test_bring_a_message_to_a_second_terminal(self, stack: Stack) -> None:
        opened, listening, sending = (step.lines for step in demo.steps(stack.address))
        second = terminal(listening)
        try:
            shown = until(second, '"ready"')
            first = terminal(f"{opened}\n{sending}")
            answer = first.communicate(timeout=20)[0]
            shown += until(second, demo.FROM_ALICE)
        finally:
            second.communicate(timeout=20)
        assert f'"content":"{demo.FROM_ALICE}"' in answer
        assert '"type":"message"' in shown

    def test_can_be_typed_again(self, stack: Stack) -> None:
        opened = demo.steps(stack.address)[0].lines
        rooms = [terminal(opened).communicate(timeout=20)[0] for _ in range(2)]
        assert rooms[0] == rooms[1]
        assert rooms[0].startswith("room ")
        assert rooms[0].split()[1].isdigit()


class TestAccounts:
    def test_are_made_once(self, stack: Stack) -> None:
        for _ in range(2):
            demo.ensure_accounts(stack.port)
        with stack.postgres.connect("auth") as link, link.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_user")
            assert cursor.fetchone() == (len(demo.ACCOUNTS),)
        link.close()


def terminal(lines: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["timeout", "30", "bash", "-c", lines],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(terminal: subprocess.Popen[str], words: str) -> str:
    """Read line by line, until then or until the terminal's time is up."""
    shown = ""
    assert terminal.stdout is not None
    for line in terminal.stdout:
        shown += line
        if words in shown:
            break
    assert words in shown, shown
    return shown
