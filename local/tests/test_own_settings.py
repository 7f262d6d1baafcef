"""own.env: what an operator sets besides reaches the services that read it, and only as a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.compose import READERS, SETTINGS, hand_out
from local.services import ROOT
from local.tests.images import HTTP, Image

if TYPE_CHECKING:
    from pathlib import Path

OWN = r"""# What others gave us.
EMAIL_HOST_USER=parley
EMAIL_HOST_PASSWORD=$e\1c#ret=\n
ANYMAIL=POSTMARK_SERVER_TOKEN=a-token
JWT_AUDIENCE="of two words"

REDIS_URL=rediss://:of-our-own@redis.example.org:6380/0
"""
SHOW = """
import django; django.setup()
from django.conf import settings
print([getattr(settings, name, None) for name in {names!r}])
"""
NAMES = ["EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "ANYMAIL", "JWT_AUDIENCE", "REDIS_URL"]
REDIS, AUDIENCE = "rediss://:of-our-own@redis.example.org:6380/0", "of two words"
READ = {
    "authservice": [
        *("parley", r"$e\1c#ret=\n", {"REQUESTS_TIMEOUT": 10, "POSTMARK_SERVER_TOKEN": "a-token"}),
        *(AUDIENCE, REDIS),
    ],
    "messaging_service": ["", "", None, AUDIENCE, REDIS],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where own.env lies beside our files, and `volumes` to hand out to."""
    folder = tmp_path / "env"
    folder.mkdir()
    for service in HTTP.values():
        (folder / f"{service}.env").write_text((SETTINGS / f"{service}.env").read_text())
    for name in ("all", *READERS):
        (tmp_path / "volumes" / name).mkdir(parents=True)
    monkeypatch.setattr("local.compose.SETTINGS", folder)
    return folder


def hand_out_to_us(volumes: Path) -> dict[str, str]:
    hand_out(volumes, readers=dict.fromkeys(READERS, os.getuid()))
    return texts(volumes)


def texts(volumes: Path) -> dict[str, str]:
    return {str(file.relative_to(volumes)): file.read_text() for file in volumes.glob("*/*")}


class TestOwnSettings:
    @pytest.mark.parametrize(("container", "service"), HTTP.items())
    def test_are_read_by_the_services(
        self, container: str, service: str, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "own.env").write_text(OWN)
        hand_out_to_us(tmp_path / "volumes")
        (tmp_path / "image").mkdir()
        image = Image(service, tmp_path / "image", secrets=tmp_path / "volumes" / service)
        show = SHOW.format(names=NAMES)
        answer = image.run(
            container, "python", "-c", show, DJANGO_SETTINGS_MODULE="config.settings"
        )
        assert answer.stdout.strip() == str(READ[container]), answer.stderr

    def test_are_told_to_nobody_else(self, folder: Path, tmp_path: Path) -> None:
        (folder / "own.env").write_text(OWN)
        files = hand_out_to_us(tmp_path / "volumes")
        assert "of-our-own" in files["messaging_service/messaging_service.env"]
        assert "a-token" not in files["messaging_service/messaging_service.env"]
        assert {name for name, text in files.items() if "of-our-own" in text} == {
            f"{service}/{service}.env" for service in HTTP.values()
        }

    def test_decide_of_what_kind_the_key_is(self, folder: Path, tmp_path: Path) -> None:
        (folder / "own.env").write_text("JWT_ALGORITHM=RS256\n")
        files = hand_out_to_us(tmp_path / "volumes")
        assert len(files["auth_service/jwt_private_key.pem"]) > 1000

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("EMAIL_PASSWORD=of-our-own", "no service reads EMAIL_PASSWORD"),
            ("REDIS_URL =of-our-own", "no service reads REDIS_URL "),
            ("DB_PASSWORD=of-our-own", "DB_PASSWORD must be set in secrets.json"),
        ],
    )
    def test_are_refused_whole_where_they_would_do_nothing(
        self, line: str, complaint: str, folder: Path, tmp_path: Path
    ) -> None:
        before = hand_out_to_us(tmp_path / "volumes")
        (folder / "own.env").write_text(f"{OWN}{line}\n")
        with pytest.raises(ValueError, match=complaint) as refused:
            hand_out_to_us(tmp_path / "volumes")
        assert "of-our-own" not in str(refused.value)
        assert texts(tmp_path / "volumes") == before

    def test_stop_the_container_before_it_makes_anything_anew(
        self, folder: Path, tmp_path: Path
    ) -> None:
        before = hand_out_to_us(tmp_path / "volumes")
        (folder / "own.env").write_text("EMAIL_PASSWORD=of-our-own\n")
        shutil.copytree(ROOT / "local", tmp_path / "checkout" / "local")
        shutil.copytree(folder, tmp_path / "checkout" / "shared" / "configs" / "env")
        answer = subprocess.run(
            [sys.executable, "-m", "local.compose", str(tmp_path / "volumes"), "renew", "postgres"],
            cwd=tmp_path / "checkout",
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.stderr == "own.env: no service reads EMAIL_PASSWORD\n"
        assert answer.returncode == 1
        assert texts(tmp_path / "volumes") == before

    def test_are_left_alone_by_git(self) -> None:
        assert "own.env" in (ROOT / ".gitignore").read_text().splitlines()
