"""The shell blocks of docs/operations.md, typed as they are printed, at docker-compose.yaml."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from e2e.people import Person
from local.compose import ROOT_KEY
from local.secrets import Secrets
from local.tests.containers.docker import type_in
from local.tests.containers.project import visit
from local.tests.images import SERVERS
from local.tests.operations import printed, section

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.tests.containers.project import Project

ADDRESS = "http://localhost:8000"
FILLED = ("all_secrets", "auth_secrets", "messaging_secrets", "postgres_secrets")
HAND_OUT, RESTART = printed("bash", under="On one machine, with Docker")[0].splitlines()
RENEW, TELL_POSTGRES, KEEP_SECRETS, BRING_SECRETS = printed("bash", under="Secrets")
BACK_UP, RESTORE, ON_ANOTHER_MACHINE, ERASE_AGAIN = printed("bash", under="Backups")
ROW = r"(?m)^\|[^|]*\| ((?:`\w+`(?:, )?)+) \|(?=.*\|.*\|)"
NAMES = re.findall(r"\w+", " ".join(re.findall(ROW, section("Secrets"))))
PASSWORDS = "SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL"
EPOCH = "SELECT * FROM epoch"
EXAMPLE = "2026-11-22_03-00-00"
REPLACE = printed("bash", under="Upgrades")[-1]


def done(project: Project, script: str, folder: Path) -> str:
    answer = type_in(project, script, folder=folder)
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def query(project: Project, database: str, statement: str) -> str:
    (postgres,) = project.containers["postgres"]
    words = ["--username=postgres", "--no-align", "--tuples-only", database]
    answer = postgres.execute("psql", *words, "--command", statement)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def secrets(project: Project) -> dict[str, tuple[str, int, int]]:
    """Return the content of every file, whose it is, and its mode."""
    files = [
        file for name in FILLED for file in sorted((project.folder / "volumes" / name).iterdir())
    ]
    return {
        f"{file.parent.name}/{file.name}": (
            file.read_text(),
            file.stat().st_uid,
            file.stat().st_mode & 0o777,
        )
        for file in files
    }


def meet(opened: ExitStack) -> tuple[Person, Person, int]:
    """Sign two people up, one of whom writes to the other."""
    ada, ben = (opened.enter_context(Person.signs_up(ADDRESS, name)) for name in ("ada", "ben"))
    room = ada.opens_room_with(ben)
    ada.sends(room, "in the backup")
    return ada, ben, room


def back_up(project: Project, folder: Path) -> Path:
    """Make a backup in this folder, and return where it is."""
    done(project, BACK_UP, folder)
    (kept,) = (folder / "backups").iterdir()
    return kept


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def everything_is_heard(project: Project) -> bool:
    """Whether messaging_service has heard of all that auth_service did."""
    newest = query(project, "auth", "SELECT newest FROM accounts_eventcounter")
    return newest == query(project, "messaging", "SELECT cursor FROM auth_feed")


def leave(project: Project, person: Person) -> None:
    """Have somebody erased, also in messaging_service."""
    erased = project.containers["authservice"][0].execute(
        "python", "manage.py", "erase", person.username
    )
    assert erased.returncode == 0, erased.stderr
    wait_until(lambda: query(project, "messaging", "SELECT user_id FROM erasures") != "")


def data(project: Project) -> set[str]:
    """Return what stays as it is while nobody does anything: rows of messaging, and accounts."""
    (postgres,) = project.containers["postgres"]
    words = ["--username=postgres", "--data-only", "--inserts", "messaging"]
    tables = [f"--table={name}" for name in ("epoch", "members", "messages", "rooms")]
    rows = re.findall(r"(?m)^INSERT .*", postgres.execute("pg_dump", *words, *tables).stdout)
    return {
        *rows,
        query(project, "auth", "SELECT id, username, email FROM accounts_user ORDER BY 1"),
    }


class TestSecrets:
    def test_come_back_from_a_copy(self, project: Project, tmp_path: Path) -> None:
        before = secrets(project)
        done(project, KEEP_SECRETS, tmp_path)
        assert (tmp_path / "secrets.tar").stat().st_mode & 0o777 == 0o600
        for name in before:
            (project.folder / "volumes" / name).unlink()
        done(project, f"set -e\n{BRING_SECRETS}\n{HAND_OUT}", tmp_path)
        assert secrets(project) == before

    def test_are_changed_by_name(self, project: Project, tmp_path: Path) -> None:
        before, passwords = secrets(project), query(project, "postgres", PASSWORDS).split()
        renew, restart = RENEW.splitlines()
        renew = renew.replace("between_services", "auth_django auth_database")
        restart = restart.replace(" messaging_service messaging_sockets", "")
        done(project, f"set -e\n{renew}\n{TELL_POSTGRES}\n{restart}", tmp_path)
        after = secrets(project)
        assert [each[1:] for each in after.values()] == [each[1:] for each in before.values()]
        assert {name for name in before if before[name] != after[name]} == {
            "all_secrets/secrets.json",
            "auth_secrets/auth_service.env",
            "postgres_secrets/auth",
        }
        assert not set(query(project, "postgres", PASSWORDS).split()) & set(passwords)
        with ExitStack() as opened:
            visit(project, lambda: opened.enter_context(Person.signs_up(ADDRESS, "ada")))

    @pytest.mark.parametrize("name", NAMES)
    def test_have_the_names_of_the_table(self, name: str) -> None:
        assert name in {*asdict(Secrets()), ROOT_KEY}

    def test_stay_where_a_name_is_wrong(self, project: Project, tmp_path: Path) -> None:
        before = secrets(project)
        wrong = RENEW.splitlines()[0].replace("between_services", "auth_django nothing")
        answer = type_in(project, wrong, folder=tmp_path)
        assert (answer.returncode, "No secret is called nothing." in answer.stdout) == (1, True)
        assert secrets(project) == before


class TestBackup:
    def test_that_is_broken_changes_nothing(self, project: Project, tmp_path: Path) -> None:
        kept = back_up(project, tmp_path)
        (kept / "auth.dump").write_bytes((kept / "auth.dump").read_bytes()[:-2000])
        epoch = query(project, "messaging", EPOCH)
        running = [each.pid for name in SERVERS for each in project.containers[name]]
        answer = type_in(project, RESTORE.replace(EXAMPLE, kept.name), folder=tmp_path)
        assert answer.returncode != 0
        assert "pg_restore: error" in answer.stdout
        assert running == [each.pid for name in SERVERS for each in project.containers[name]]
        assert query(project, "messaging", EPOCH) == epoch

    def test_is_the_way_back(self, project: Project, tmp_path: Path) -> None:
        """Over what a broken one left, and what another has left before."""
        query(project, "postgres", "CREATE DATABASE messaging_before")
        with ExitStack() as opened:
            ada, ben, room = visit(project, lambda: meet(opened))
            picture = visit(project, lambda: ada.shows_picture("red"))
            wait_until(lambda: everything_is_heard(project))
            kept, before = back_up(project, tmp_path), data(project)
            visit(project, lambda: ada.sends(room, "not in the backup"))
            visit(project, lambda: ada.shows_picture("blue"))
            leave(project, ben)
            done(project, RESTORE.replace(EXAMPLE, kept.name), tmp_path)
            changed = before ^ data(project)
            assert [each.split()[2] for each in changed] == ["public.epoch"] * 2, changed
            history = visit(project, lambda: ada.history(room))
            assert [each["content"] for each in history] == ["in the backup"]
            assert visit(project, lambda: ada.http.get(picture)).status_code == 200
            assert query(project, "messaging", "SELECT * FROM erasures") == ""
            assert f"{ben.username} is erased." in done(project, ERASE_AGAIN, tmp_path)
        for name, other in (("auth", "messaging"), ("messaging", "auth")):
            may = f"SELECT has_database_privilege('{name}', '{other}', 'CONNECT')"
            assert query(project, "postgres", may) == "f"

    def test_goes_to_another_machine_with_its_secrets(self) -> None:
        assert BRING_SECRETS in ON_ANOTHER_MACHINE


class TestUpgrade:
    def test_replaces_processes_by_as_many(self, project: Project, tmp_path: Path) -> None:
        function, _ = REPLACE.split("replace messaging_service &&")
        before = project.containers["messaging_sockets"].copy()
        done(project, f"{function}\nreplace messaging_sockets", tmp_path)
        after = project.containers["messaging_sockets"]
        assert len(after) == len(before)
        assert not [each for each in after if each in before]
        assert [each.alive() for each in (*before, *after)] == [False] * 3 + [True] * 3
