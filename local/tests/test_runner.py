"""`make run`, from its first line to the last process."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import demo
from local.health import answers
from local.tests.runners import Runner

if TYPE_CHECKING:
    import pytest

NAMES = (
    "postgres",
    "redis",
    "auth_service",
    "messaging_service",
    "messaging_sockets-1",
    "messaging_sockets-2",
    "traefik",
)
SECOND_START_SECONDS = 5.0


class TestStart:
    def test_says_what_runs_where_and_what_to_try(self, runner: Runner) -> None:
        runner.start()
        text = runner.ready()
        assert f"http://localhost:{runner.ports[0]}" in text
        pids = [runner.pid_of(name) for name in NAMES]
        # Alive, and each in a session of its own: Ctrl-C at the terminal is not for them.
        assert [os.getsid(pid) for pid in pids] == pids
        assert "alice and bob" in text
        assert "/dashboard/" in text
        assert all(f"\n{number}. " in text for number in (1, 2, 3))
        assert answers(runner.ports[0], "/health/sockets/live")

    def test_takes_less_than_five_seconds_the_second_time_and_keeps_what_was_there(
        self, runner: Runner, checkout: Path
    ) -> None:
        runner.start()
        runner.ready()
        runner.interrupt()
        secrets = (checkout / ".data" / "secrets.json").read_bytes()
        began = time.monotonic()
        runner.start()
        runner.ready()
        seconds = time.monotonic() - began
        print(f"second start: {seconds:.2f} s")
        # The demo accounts are registered on every start: this time they were there.
        log = (checkout / ".data" / "log" / "auth_service.log").read_text()
        assert log.count('"status": 409') == len(demo.ACCOUNTS)
        assert (checkout / ".data" / "secrets.json").read_bytes() == secrets
        assert seconds < SECOND_START_SECONDS

    def test_writes_only_into_its_own_folder_and_secrets_for_its_owner_alone(
        self, runner: Runner, checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        runner.start(TMPDIR=str(tmp_path))
        runner.ready()
        assert list(tmp_path.iterdir()) == []
        assert stat.S_IMODE(checkout.parents[5].stat().st_mode) == 0o700
        for name in ("", "secrets.json", "jwt-private-key.pem", "redis/redis.conf", "postgres"):
            assert not (checkout / ".data" / name).stat().st_mode & 0o077, name

    def test_passes_the_environment_to_the_services(self, runner: Runner) -> None:
        runner.start(ACCESS_TOKEN_SECONDS="77", ALLOWED_HOSTS="127.0.0.1,localhost,authservice")
        assert "from your environment  ALLOWED_HOSTS\n" in runner.ready()
        claims = _claims_of_alice(runner.ports[0])
        assert claims["exp"] - claims["iat"] == 77


class TestStop:
    def test_ctrl_c_leaves_no_process(self, runner: Runner) -> None:
        runner.start()
        runner.ready()
        assert len(runner.left()) > len(NAMES)
        assert runner.interrupt() == 0
        assert runner.left() == []

    def test_ctrl_c_while_starting_leaves_no_process(self, runner: Runner) -> None:
        runner.start()
        runner.says("Starting")
        time.sleep(0.7)
        assert runner.interrupt() == 0
        assert runner.left() == []

    def test_a_killed_runner_leaves_no_process_and_the_next_one_starts(
        self, runner: Runner
    ) -> None:
        runner.start()
        runner.ready()
        runner.child.kill()
        runner.child.wait()
        assert runner.left_after(3) == []
        runner.start()
        runner.ready()

    def test_a_killed_make_stops_the_runner(self, checkout: Path) -> None:
        runner = Runner(checkout, command=("make", "run"))
        _lend_venv(checkout)
        try:
            runner.start()
            runner.ready()
            runner.child.kill()
            runner.child.wait()
            assert runner.left_after(15) == []
        finally:
            runner.end()

    def test_a_child_that_dies_is_named_with_the_end_of_its_log(self, runner: Runner) -> None:
        runner.start()
        runner.ready()
        os.kill(runner.pid_of("auth_service"), signal.SIGTERM)
        assert runner.child.wait(30) == 1
        told = runner.text().split("Stopped.")[1]
        assert "auth_service (pid" in told
        assert "ended with exit code 0" in told
        assert "Shutting down: Master" in told
        assert runner.left() == []


class TestReset:
    def test_forgets_everything_but_not_under_a_running_system(
        self, runner: Runner, checkout: Path
    ) -> None:
        reset = [sys.executable, "-m", "local", "reset"]
        runner.start()
        runner.ready()
        assert subprocess.run(reset, cwd=checkout, check=False, capture_output=True).returncode == 1
        assert answers(runner.ports[0], "/health/auth/live")
        runner.interrupt()
        assert subprocess.run(reset, cwd=checkout, check=False).returncode == 0
        assert not (checkout / ".data").exists()


class TestRefusal:
    def test_names_a_taken_port_in_one_line(self, runner: Runner) -> None:
        with socket.create_server(("127.0.0.1", runner.ports[0])):
            runner.start()
            assert runner.child.wait(30) == 1
        assert runner.text() == (
            f"Port {runner.ports[0]} is taken by another program. "
            f"Choose another: make run PORT={runner.ports[0] + 1000}\n"
        )
        assert runner.left() == []

    def test_names_a_taken_operators_port_too(self, runner: Runner) -> None:
        with socket.create_server(("127.0.0.1", runner.ports[1])):
            runner.start()
            assert runner.child.wait(30) == 1
        assert f"make run OPERATORS_PORT={runner.ports[1] + 1000}" in runner.text()

    def test_names_what_is_not_a_port(self, runner: Runner) -> None:
        runner.start(PORT="eighty")
        assert runner.child.wait(30) == 1
        assert runner.text() == "PORT=eighty is not a port. Choose one: make run PORT=9000\n"

    def test_names_the_first_to_a_second_one(self, runner: Runner, checkout: Path) -> None:
        runner.start()
        runner.ready()
        second = Runner(checkout)
        second.start()
        assert second.child.wait(30) == 1
        assert second.text() == (
            f"Already running from this checkout: pid {runner.child.pid}, "
            f"http://localhost:{runner.ports[0]}\n"
        )
        assert answers(runner.ports[0], "/health/auth/live")


def _lend_venv(checkout: Path) -> None:
    if not (checkout / ".venv").exists():
        (checkout / ".venv").symlink_to(Path(sys.executable).parent.parent)


def _claims_of_alice(port: int) -> dict[str, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = json.dumps({"username": "alice", "password": demo.PASSWORD})
        link.request("POST", "/api/auth/login/", body, {"Content-Type": "application/json"})
        token = json.load(link.getresponse())["access"]
    finally:
        link.close()
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims
