"""A frozen or dead Postgres costs three seconds, never more, and no acknowledged write is weak."""

import os
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from psycopg2.extensions import set_wait_callback

from local.ports import free_ports
from local.postgres import Postgres
from service_kit.database import assert_durable, install_time_limit, meanwhile, time_limit


@pytest.fixture(autouse=True)
def _limit():
    install_time_limit(0.4)
    yield
    set_wait_callback(None)


@pytest.fixture
def connection(dsn):
    connection = psycopg2.connect(**dsn)
    connection.autocommit = True
    yield connection
    connection.close()


def ask(connection, sql="SELECT 1", *arguments):
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments or None)
        return cursor.fetchone()[0]


def backend(connection):
    return ask(connection, "SELECT pg_backend_pid()")


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().split()[3])


@contextmanager
def frozen(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def raises_after(seconds):
    began = time.monotonic()
    with pytest.raises(psycopg2.OperationalError, match="did not answer"):
        yield
    assert seconds - 0.01 <= time.monotonic() - began <= seconds + 0.5


class TestInstallTimeLimit:
    def test_lets_queries_through(self, connection):
        assert ask(connection, "SELECT %s::int", 7) == 7
        # More than the buffers of a socket hold, either way.
        with time_limit(5):
            assert len(ask(connection, "SELECT repeat('x', 20000000)")) == 20_000_000
            assert ask(connection, "SELECT length(%s)", "y" * 20_000_000) == 20_000_000

    def test_raises_at_three_seconds_when_postgres_is_frozen(self, connection):
        install_time_limit()
        with frozen(backend(connection)), raises_after(3.0):
            ask(connection)

    def test_raises_at_three_seconds_while_connecting(self, connection, dsn):
        install_time_limit()
        with frozen(parent(backend(connection))), raises_after(3.0):
            psycopg2.connect(**dsn)

    def test_leaves_the_connection_closed_and_others_untouched(self, connection, dsn):
        other = psycopg2.connect(**dsn)
        with frozen(backend(connection)), raises_after(0.4):
            ask(connection)
        assert connection.closed
        assert ask(other) == 1
        other.close()

    def test_lets_a_new_connection_work_at_once(self, connection, dsn):
        with raises_after(0.4):
            ask(connection, "SELECT pg_sleep(5)")
        again = psycopg2.connect(**dsn)
        assert ask(again) == 1
        again.close()

    def test_counts_the_whole_statement_and_not_each_piece(self, connection):
        rows = "SELECT pg_sleep(0.1), repeat('x', 20000) FROM generate_series(1, 20)"
        with raises_after(0.4):
            ask(connection, rows)

    def test_bounds_a_commit_too(self, connection):
        connection.autocommit = False
        ask(connection, "SELECT 1")
        with frozen(backend(connection)), raises_after(0.4):
            connection.commit()

    def test_raises_at_once_when_postgres_is_killed(self, connection):
        threading.Timer(0.1, os.kill, [backend(connection), signal.SIGTERM]).start()
        began = time.monotonic()
        with time_limit(5), pytest.raises(psycopg2.OperationalError, match="terminat"):
            ask(connection, "SELECT pg_sleep(4)")
        assert time.monotonic() - began < 1

    def test_holds_no_connection_by_an_error_that_somebody_keeps(self, dsn):
        # What keeps an error may be a cycle, and a process may collect those rarely.
        files = Path("/proc/self/fd")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            before = len(list(files.iterdir()))
            with pytest.raises(psycopg2.OperationalError) as kept:
                psycopg2.connect(**{**dsn, "port": silent.getsockname()[1]})
            assert len(list(files.iterdir())) == before
            assert kept.value

    def test_raises_at_once_when_nobody_listens(self, dsn):
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            psycopg2.connect(**{**dsn, "port": "1"})

    def test_keeps_threads_and_connections_apart(self, dsn):
        failures = []

        def work(number):
            mine = [psycopg2.connect(**dsn) for _ in range(3)]
            asked = [number * turn for turn in range(200)]
            told = [ask(mine[each % 3], "SELECT %s::int", each) for each in asked]
            failures.extend(each for each in told if each not in asked or told != asked)
            for each in mine:
                each.close()

        threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []

    def test_is_not_confused_by_a_descriptor_used_again(self, dsn):
        for _ in range(5):
            first = psycopg2.connect(**dsn)
            ask(first)
            first.close()
            read, write = os.pipe()
            second = psycopg2.connect(**dsn)
            assert ask(second) == 1
            second.close()
            os.close(read)
            os.close(write)


class TestTimeLimit:
    def test_allows_more(self, connection):
        with time_limit(2):
            assert ask(connection, "SELECT 1 FROM pg_sleep(0.6)") == 1

    def test_allows_less(self, connection):
        with time_limit(0.1), raises_after(0.1):
            ask(connection, "SELECT pg_sleep(1)")

    def test_can_be_none(self, connection):
        with time_limit(None):
            assert ask(connection, "SELECT 1 FROM pg_sleep(0.6)") == 1

    def test_ends_with_its_block_also_in_trouble(self, connection):
        with pytest.raises(RuntimeError), time_limit(None), time_limit(9):
            raise RuntimeError
        with raises_after(0.4):
            ask(connection, "SELECT pg_sleep(1)")

    def test_is_of_this_thread_alone(self, connection):
        seen = []

        def other():
            with pytest.raises(psycopg2.OperationalError):
                ask(connection, "SELECT pg_sleep(1)")
            seen.append(True)

        with time_limit(None):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        assert seen == [True]

    def test_holds_although_the_limit_is_installed_later(self, connection):
        with time_limit(None):
            install_time_limit(0.1)
            assert ask(connection, "SELECT 1 FROM pg_sleep(0.3)") == 1


@pytest.fixture(scope="module")
def durable(tmp_path_factory):
    """Run a Postgres of our own, with the defaults it comes with."""
    home = tmp_path_factory.mktemp("durable")
    server = Postgres(home=home / "pg", logs=home / "log", port=free_ports(1)[0], password="p")
    server.start()
    yield server
    server.stop()


class TestAssertDurable:
    @pytest.fixture
    def cursor(self, durable):
        with time_limit(5), closing(durable.connect()) as connection:
            yield connection.cursor()

    def test_accepts_postgres_as_it_comes(self, cursor):
        assert_durable(cursor)

    def test_accepts_more_than_is_needed(self, cursor):
        cursor.execute("SET synchronous_commit = remote_apply")
        assert_durable(cursor)

    @pytest.mark.parametrize("value", ["off", "local", "remote_write"])
    def test_refuses_commits_that_do_not_wait_for_the_disk(self, cursor, value):
        cursor.execute(f"SET synchronous_commit = {value}")
        with pytest.raises(ImproperlyConfigured, match=f"synchronous_commit={value}"):
            assert_durable(cursor)

    @pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
    def test_refuses_a_server_that_may_lose_its_files(self, cursor, name):
        change(cursor, f"ALTER SYSTEM SET {name} = off")
        with pytest.raises(ImproperlyConfigured, match=rf"\({name}=off\)"):
            assert_durable(cursor)
        change(cursor, "ALTER SYSTEM RESET ALL")
        assert_durable(cursor)

    @override_settings(POSTGRES_MANAGED=True)
    def test_is_skipped_where_someone_else_answers_for_it(self, cursor):
        cursor.execute("SET synchronous_commit = off")
        assert_durable(cursor)


def change(cursor, sql):
    cursor.execute(sql)
    cursor.execute("SELECT pg_reload_conf()")
    # The server process reads its settings again when it next has nothing to do.
    time.sleep(0.2)


class TestKilledServer:
    def test_is_noticed_at_once_by_a_query_that_waits(self, durable):
        with closing(durable.connect()) as connection:
            postmaster = parent(backend(connection))
            threading.Timer(0.2, os.kill, [postmaster, signal.SIGKILL]).start()
            threading.Timer(0.2, os.kill, [backend(connection), signal.SIGKILL]).start()
            began = time.monotonic()
            with time_limit(5), pytest.raises(psycopg2.OperationalError):
                ask(connection, "SELECT pg_sleep(4)")
            assert time.monotonic() - began < 1


class TestMeanwhile:
    def test_is_done_while_postgres_is_at_it(self, connection):
        began, done_at = time.monotonic(), []
        with meanwhile(lambda: done_at.append(time.monotonic() - began)):
            ask(connection, "SELECT 1 FROM pg_sleep(0.2)")
        assert done_at[0] < 0.1

    def test_is_done_once_with_the_first_statement(self, connection):
        done = []
        with meanwhile(lambda: done.append(1)):
            ask(connection)
            ask(connection)
        ask(connection)
        assert done == [1]

    def test_is_done_where_nothing_waits(self):
        done = []
        with meanwhile(lambda: done.append(1)):
            pass
        assert done == [1]

    def test_is_not_done_after_what_could_not_be_sent(self, connection):
        done = []
        connection.close()
        with pytest.raises(psycopg2.InterfaceError), meanwhile(lambda: done.append(1)):
            ask(connection)
        assert done == []

    def test_takes_nothing_from_the_limit_nor_adds_to_it(self, connection):
        with (
            frozen(backend(connection)),
            raises_after(0.4),
            meanwhile(lambda: time.sleep(0.2)),
        ):
            ask(connection)

    def test_closes_the_connection_if_it_fails(self, connection):
        def fail():
            raise ValueError

        with pytest.raises(ValueError), meanwhile(fail):  # noqa: PT011 - it is ours.
            ask(connection)
        assert connection.closed
