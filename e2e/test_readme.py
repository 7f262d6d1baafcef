"""The README does what it says: its example is typed as written, its table and links lead on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.terminals import at, blocks, terminal
from local import demo
from local.services import ROOT

if TYPE_CHECKING:
    from local.stack import Stack

ADDRESS = "http://localhost:8000"
README = (ROOT / "README.md").read_text()
COMMANDS, OPEN, LISTEN, SEND = blocks(README)
# Files that somebody who runs it writes are not there.
OF_OPERATORS = (ROOT / ".gitignore").read_text().split()
DOCUMENTS = sorted(
    str(file.relative_to(ROOT)) for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


class TestExample:
    def test_is_what_make_run_prints(self) -> None:
        steps = demo.steps(ADDRESS)
        assert [step.lines for step in steps] == [OPEN, LISTEN, SEND]
        assert all(f"{number}. {step.title}" in README for number, step in enumerate(steps, 1))

    def test_brings_a_message_to_the_second_terminal_and_one_back(self, stack: Stack) -> None:
        with terminal(ROOT) as first, terminal(ROOT) as second:
            first.types(at(stack, OPEN))
            first.shows("room ")
            second.types(at(stack, LISTEN))
            second.shows('"type":"ready"')
            first.types(at(stack, SEND))
            first.shows('"content":"Hello from Alice"')
            second.shows('"content":"Hello from Alice"')
            (answer,) = re.findall(r"`(\{.*?\})` and Enter", README)
            second.types(answer)
            second.shows('"content":"Hello from Bob"')

    def test_starts_with_two_commands_make_knows(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        targets = [line.split("#")[0].split() for line in COMMANDS.splitlines()]
        assert targets == [["make", "run"], ["make", "test"]]
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for _, target in targets)


class TestTable:
    def test_answers_each_question_with_one_file(self) -> None:
        table = README.split("| I want to … |")[1].split("\n\n")[0]
        answers = [line.split("|")[2] for line in table.splitlines()[2:]]
        links = [re.findall(r"\[(.+?)\]\((.+?)\)", answer) for answer in answers]
        assert len(links) > 10
        for link in links:
            ((shown, target),) = link
            # A folder is opened at the file that says what is in it.
            assert target in {shown, f"{shown}__init__.py"}
            assert (ROOT / target).is_file()


class TestDocuments:
    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_link_only_to_what_is_there(self, document: str) -> None:
        file = ROOT / document
        targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", file.read_text())
        lost = [
            target
            for target in targets
            if "://" not in target and not (file.parent / target).exists()
        ]
        assert lost == []

    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_name_only_files_and_names_that_are_there(self, document: str) -> None:
        """`messaging/actions/messages.py: send_message` is a file and a word in it."""
        folders = [ROOT, *(ROOT / each for each in ("auth_service", "messaging_service", "shared"))]
        for path, name in re.findall(
            r"`([\w./-]+\.(?:py|yaml|env|toml|in))(?:: ([\w.]+))?`", (ROOT / document).read_text()
        ):
            if any(Path(path).match(each) for each in OF_OPERATORS):
                continue
            found = [folder / path for folder in folders if (folder / path).is_file()]
            assert found, path
            if name:
                text = found[0].read_text()
                assert all(re.search(rf"\b{part}\b", text) for part in name.split(".")), name
