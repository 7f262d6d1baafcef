"""A stack as tests and benchmarks use it: parts can be killed and brought back."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.errors import ProcessDiedError
from local.health import answers
from local.migrations import migrate
from local.processes import family_of
from local.services import ready

if TYPE_CHECKING:
    from local.stack import Stack

LATE_SECONDS = 1.0
HEALTH = ("/health/auth/live", "/health/chat/live", "/health/sockets/live")


class TestRestart:
    @pytest.mark.parametrize(
        "name", ["redis", "messaging_sockets-1", "auth_service", "traefik", "postgres"]
    )
    def test_brings_a_killed_process_back_on_its_port(self, stack: Stack, name: str) -> None:
        process = stack.process(name)
        pid, port = process.pid, process.port
        process.kill()
        with pytest.raises(ProcessDiedError, match=f"{name} .* was ended by SIGKILL"):
            stack.require_alive()
        stack.restart(name)
        assert (process.pid, process.port) != (pid, port)
        assert process.port == port
        stack.require_alive()
        assert all(answers(stack.port, path) for path in HEALTH)

    def test_waits_for_children_that_outlive_what_was_killed(self, stack: Stack) -> None:
        process = stack.process("postgres")
        *_, child = family_of(process.pid)
        os.kill(child, signal.SIGSTOP)
        later = threading.Timer(LATE_SECONDS, os.kill, [child, signal.SIGCONT])
        later.start()
        stack.restart("postgres")
        later.join()
        stack.require_alive()


class TestProcesses:
    def test_are_not_started_from_a_thread_that_ends_before_them(self, stack: Stack) -> None:
        process = stack.auth.manage("check")
        refused: list[str] = []

        def start() -> None:
            with pytest.raises(RuntimeError) as error:
                process.start()
            refused.append(str(error.value))

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert refused == ["Processes are started from the main thread, or die with another."]
        assert not process.alive()

    def test_hold_no_secret_in_their_command_lines(self, stack: Stack) -> None:
        secrets = vars(stack.secrets).values()
        for process in stack.processes:
            line = Path(f"/proc/{process.pid}/cmdline").read_text()
            assert [secret for secret in secrets if secret in line] == []

    def test_both_socket_processes_are_ready(self, stack: Stack) -> None:
        assert len(stack.socket_processes) == 2
        assert all(ready(process) for process in stack.socket_processes)


class TestMigrate:
    def test_does_nothing_where_nothing_has_changed(self, stack: Stack) -> None:
        log = stack.logs / "auth_service-migrate.log"
        before = log.stat().st_mtime_ns
        migrate([stack.auth, stack.messaging], home=stack.home)
        assert log.stat().st_mtime_ns == before

    def test_runs_again_where_the_database_is_not_as_it_left_it(self, stack: Stack) -> None:
        with stack.postgres.connect("auth") as link, link.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET applied = applied + interval '1 second'")
        link.close()
        log = stack.logs / "auth_service-migrate.log"
        before = log.stat().st_mtime_ns
        migrate([stack.auth], home=stack.home)
        assert log.stat().st_mtime_ns > before
        assert "No migrations to apply" in log.read_text()
