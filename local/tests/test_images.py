"""What docker-compose.yaml and the Dockerfiles make: secrets, databases, images. Without Docker."""

from __future__ import annotations

import os
import stat
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local.binaries import postgres_package, postgres_program
from local.compose import READERS, ROOT_KEY, SETTINGS, forget, hand_out
from local.ports import LOOPBACK, free_ports
from local.postgres import THROW_AWAY, Postgres
from local.services import ROOT
from local.tests.images import (
    HTTP,
    MIGRATIONS,
    SECRETS,
    SERVERS,
    Image,
    command,
    compose,
    dockerfile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTAINERS = compose()["services"]


def volumes_in(folder: Path) -> Path:
    for name in ("all", *READERS):
        (folder / name).mkdir(parents=True)
    return folder


def hand_out_to_us(volumes: Path) -> dict[str, tuple[str, int, int]]:
    """Return the content, the mode and the inode of every file."""
    hand_out(volumes, readers=dict.fromkeys(READERS, os.getuid()))
    return {
        str(file.relative_to(volumes)): (
            file.read_text(),
            stat.S_IMODE(file.stat().st_mode),
            file.stat().st_ino,
        )
        for file in sorted(volumes.glob("*/*"))
    }


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    volumes = volumes_in(tmp_path_factory.mktemp("volumes"))
    hand_out_to_us(volumes)
    return volumes


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, volumes: Path) -> dict[str, Image]:
    return {
        name: Image(name, tmp_path_factory.mktemp(name), secrets=volumes / name)
        for name in HTTP.values()
    }


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, volumes: Path) -> Iterator[Postgres]:
    """Run a server as its container is after the first start."""
    folder = tmp_path_factory.mktemp("postgres")
    password = (volumes / "postgres" / "superuser").read_text()
    (port,) = free_ports(1)
    server = Postgres(home=folder, logs=folder, port=port, password=password, settings=THROW_AWAY)
    try:
        server.start()
        script = compose()["configs"]["databases"]["content"]
        psql = str(postgres_program("psql", package=postgres_package()))
        address = f"host={LOOPBACK} port={port} user=postgres dbname=postgres"
        subprocess.run(
            [psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", address],
            input=script.replace(SECRETS, str(volumes / "postgres")),
            env={"PGPASSWORD": password, "PATH": os.defpath},
            text=True,
            check=True,
        )
        yield server
    finally:
        server.stop()


class TestSecrets:
    def test_are_readable_by_one_user_alone(self, tmp_path: Path) -> None:
        files = hand_out_to_us(volumes_in(tmp_path / "volumes"))
        assert {mode for _, mode, _ in files.values()} == {0o600}

    def test_hold_a_key_of_the_kind_in_the_settings(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for file in SETTINGS.glob("*.env"):
            text = file.read_text().replace("JWT_ALGORITHM=EdDSA", "JWT_ALGORITHM=RS256")
            (tmp_path / file.name).write_text(text)
        monkeypatch.setattr("local.compose.SETTINGS", tmp_path)
        volumes = volumes_in(tmp_path / "volumes")
        hand_out_to_us(volumes)
        pem = (volumes / "auth_service" / "jwt_private_key.pem").read_bytes()
        assert isinstance(load_pem_private_key(pem, password=None), RSAPrivateKey)

    def test_are_made_once(self, tmp_path: Path) -> None:
        volumes = volumes_in(tmp_path / "volumes")
        first, second = hand_out_to_us(volumes), hand_out_to_us(volumes)
        assert [each[:2] for each in first.values()] == [each[:2] for each in second.values()]
        made = ("all/secrets.json", "auth_service/jwt_private_key.pem")
        assert [first[name] for name in made] == [second[name] for name in made]

    def test_are_made_anew_when_they_are_named(self, tmp_path: Path) -> None:
        volumes = volumes_in(tmp_path / "volumes")
        first = hand_out_to_us(volumes)
        forget(volumes, ["auth_database", ROOT_KEY])
        second = hand_out_to_us(volumes)
        changed = {name for name in first if first[name][0] != second[name][0]}
        assert changed == {
            "all/secrets.json",
            "auth_service/auth_service.env",
            "auth_service/jwt_private_key.pem",
            "postgres/auth",
        }

    def test_stay_if_one_of_the_names_is_none(self, tmp_path: Path) -> None:
        volumes = volumes_in(tmp_path / "volumes")
        first = hand_out_to_us(volumes)
        with pytest.raises(ValueError, match="No secret is called auth_datebase"):
            forget(volumes, ["auth_django", ROOT_KEY, "auth_datebase"])
        second = hand_out_to_us(volumes)
        assert [each[:2] for each in first.values()] == [each[:2] for each in second.values()]

    def test_differ_between_systems(self, tmp_path: Path) -> None:
        first, second = (hand_out_to_us(volumes_in(tmp_path / name)) for name in "ab")
        assert first.keys() == second.keys()
        assert [name for name in first if first[name][0] == second[name][0]] == []

    def test_of_one_service_are_not_the_others(self, volumes: Path) -> None:
        files = {file.name: file.read_text() for file in volumes.glob("*/*")}
        assert sorted(each.name for each in (volumes / "messaging_service").iterdir()) == [
            "messaging_service.env"
        ]
        assert files["auth"] in files["auth_service.env"]
        assert files["auth"] not in files["messaging_service.env"]
        assert files["superuser"] not in files["auth_service.env"] + files["messaging_service.env"]

    def test_lie_where_the_settings_say(self, volumes: Path) -> None:
        settings = (volumes / "auth_service" / "auth_service.env").read_text()
        assert f"\nJWT_PRIVATE_KEY_FILE={SECRETS}/jwt_private_key.pem\n" in settings
        assert (volumes / "auth_service" / "jwt_private_key.pem").exists()

    @pytest.mark.parametrize("name", [*SERVERS, *MIGRATIONS])
    def test_are_mounted_where_they_are_read(self, name: str) -> None:
        owner = CONTAINERS[name]["image"].removeprefix("parley/")
        handed = dict(mount.split(":")[:2] for mount in CONTAINERS["secrets"]["volumes"])
        (volume,) = (
            mount.split(":")[0] for mount in CONTAINERS[name]["volumes"] if SECRETS in mount
        )
        assert handed[volume] == f"{command('secrets')[-1]}/{owner}"


class TestDatabases:
    @pytest.mark.parametrize(("name", "other"), [("auth", "messaging"), ("messaging", "auth")])
    def test_are_one_for_each_service(
        self, name: str, other: str, postgres: Postgres, volumes: Path
    ) -> None:
        login: dict[str, Any] = {
            "host": LOOPBACK,
            "port": postgres.port,
            "user": name,
            "password": (volumes / "postgres" / name).read_text(),
        }
        with closing(psycopg2.connect(dbname=name, **login)) as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
                " FROM pg_roles WHERE rolname = user"
            )
            assert cursor.fetchone() == (False,) * 5
        for denied in (other, "postgres", "template1"):
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(dbname=denied, **login)


class TestImages:
    @pytest.mark.parametrize(("container", "service"), HTTP.items())
    def test_hold_every_setting(
        self, container: str, service: str, images: dict[str, Image]
    ) -> None:
        answer = images[service].run(container, "python", "manage.py", "check")
        assert answer.returncode == 0, answer.stderr

    @pytest.mark.parametrize(("container", "service"), HTTP.items())
    def test_start_nothing_without_secrets(
        self, container: str, service: str, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").mkdir()
        image = Image(service, tmp_path, secrets=tmp_path / "empty")
        answer = image.run(container, "python", "manage.py", "check")
        assert answer.returncode != 0
        assert "SECRET_KEY must be set" in answer.stderr

    @pytest.mark.parametrize(("container", "service"), MIGRATIONS.items())
    def test_migrate(
        self, container: str, service: str, images: dict[str, Image], postgres: Postgres
    ) -> None:
        settings = {"DB_HOST": LOOPBACK, "DB_PORT": str(postgres.port)}
        answer = images[service].run(container, *command(container), **settings)
        assert answer.returncode == 0, answer.stderr
        assert "Applying" in answer.stdout

    @pytest.mark.parametrize("service", HTTP.values())
    def test_are_built_of_what_is_not_ignored(self, service: str) -> None:
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        allowed = tuple(line[1:] for line in lines if line.startswith("!"))
        copied = [
            line.split()[1]
            for line in dockerfile(service).splitlines()
            if line.startswith("COPY") and "--from" not in line
        ]
        assert len(copied) == {"auth_service": 4, "messaging_service": 5}[service]
        assert [each for each in copied if not each.startswith(allowed)] == []
