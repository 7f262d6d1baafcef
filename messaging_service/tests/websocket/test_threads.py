"""Threads for the database: they keep their connections, get over faults, and answer in time."""

import asyncio
import time

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from messaging.websocket import threads
from messaging.websocket.threads import change_in_database_thread, in_database_thread
from messaging_service.tests.actions.stage import new_link
from messaging_service.tests.engines import frozen_postgres
from service_kit.refusals import as_refusal


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    return found


def sleep_there(seconds: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])
    return backend()


THREADS = settings.SOCKET_DATABASE_THREADS


async def every_backend() -> set[int]:
    return set(
        await asyncio.gather(*(in_database_thread(sleep_there, 0.1) for _ in range(THREADS)))
    )


def kill(pids: set[int]) -> None:
    with new_link() as link, link.cursor() as cursor:
        for pid in pids:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    link.close()


class TestADatabaseThread:
    async def test_keeps_its_connection(self) -> None:
        first = await every_backend()
        for _ in range(5):
            await asyncio.gather(*(in_database_thread(backend) for _ in range(20)))
        assert await every_backend() == first
        assert len(first) == THREADS

    async def test_does_not_make_the_loop_wait(self) -> None:
        slow = asyncio.create_task(in_database_thread(sleep_there, 0.5))
        start = time.monotonic()
        await in_database_thread(backend)
        assert time.monotonic() - start < 0.3
        await slow

    async def test_replaces_a_backend_that_ended_while_nobody_asked(self) -> None:
        before = await every_backend()
        kill(before)
        await asyncio.sleep(0.2)
        assert not before & await every_backend()

    async def test_gets_over_a_backend_that_ends_while_it_answers(self) -> None:
        def end() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        for _ in range(THREADS * 2):
            with pytest.raises(OperationalError):
                await in_database_thread(end)
        assert len(await every_backend()) == THREADS

    async def test_hands_on_what_is_raised(self) -> None:
        def fail() -> None:
            raise LookupError("here")

        with pytest.raises(LookupError, match="here"):
            await in_database_thread(fail)


class TestAFrozenPostgres:
    async def test_is_answered_for_in_time_however_many_ask(self) -> None:
        await every_backend()
        with frozen_postgres():
            start = time.monotonic()
            asked = (in_database_thread(backend) for _ in range(40))
            found = await asyncio.gather(*asked, return_exceptions=True)
            took = time.monotonic() - start
        assert took < 5.0
        refusals = [as_refusal(each) for each in found if isinstance(each, Exception)]
        assert [each.code for each in refusals if each] == ["unavailable"] * 40
        start = time.monotonic()
        await in_database_thread(backend)
        assert time.monotonic() - start < 3.5


class TestAChange:
    async def test_that_takes_too_long_may_have_been_made(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What had begun is not known; what still waited for a thread never begins."""
        monkeypatch.setattr(threads, "LONGEST_WAIT_SECONDS", 0.3)
        made: list[int] = []

        def change(number: int) -> None:
            time.sleep(0.6)
            made.append(number)

        asked = [change_in_database_thread(change, number) for number in range(THREADS * 2)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        refusals = [as_refusal(each) for each in found if isinstance(each, Exception)]
        codes = [each.code for each in refusals if each]
        assert codes == ["outcome_unknown"] * THREADS + ["unavailable"] * THREADS
        await asyncio.sleep(1.5)
        assert sorted(made) == list(range(THREADS))

    async def test_answers_with_what_it_gives(self) -> None:
        assert await change_in_database_thread(lambda: 1) == 1
