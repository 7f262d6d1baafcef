"""Health says which store is away, in a second, and nothing else."""

import os
import signal
import time

import psycopg2
import pytest
from django.db import connection
from django.test import Client, override_settings

from service_kit import health
from service_kit.database import install_time_limit

WELL = {"status": "ok", "checks": {"postgres": "ok", "redis": "ok"}}


@pytest.fixture(autouse=True)
def _stores(django_db_blocker):
    install_time_limit()
    health._redis.cache_clear()
    with django_db_blocker.unblock():
        yield
        connection.close()
    psycopg2.extensions.set_wait_callback(None)
    health._redis.cache_clear()


def get(path="/health/ready"):
    return Client().get(path)


class TestLive:
    def test_answers_without_any_store(self):
        with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
            answer = get("/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_only_answers_reading(self):
        assert Client().head("/health/live").status_code == 200
        assert Client().post("/health/live").status_code == 405


class TestClock:
    @pytest.mark.parametrize("seconds", [-9, 9])
    def test_may_be_a_little_wrong(self, monkeypatch, seconds):
        self.shift(monkeypatch, seconds)
        health.check_clock()

    @pytest.mark.parametrize("seconds", [-11, 11])
    def test_is_noticed_when_it_is_more_wrong(self, monkeypatch, seconds):
        self.shift(monkeypatch, seconds)
        with pytest.raises(health.WrongClockError):
            health.check_clock()

    @staticmethod
    def shift(monkeypatch, seconds):
        real = time.time
        monkeypatch.setattr(health.time, "time", lambda: real() + seconds)


class TestReady:
    def test_names_each_store(self):
        answer = get()
        assert (answer.status_code, answer.json()) == (200, WELL)

    def test_names_the_one_that_is_away_and_tells_no_reason(self):
        answer = get("/health/broken")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {"postgres": "unavailable", "redis": "ok"}
        assert "secret" not in answer.text

    def test_logs_the_kind_of_failure_and_no_address(self, lines):
        get("/health/broken")
        (warning,) = [line for line in lines() if line["level"] == "WARNING"]
        assert warning["message"] == "postgres is not ready: RuntimeError"

    def test_finds_redis_gone(self):
        with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
            answer = get()
        assert answer.json()["checks"] == {"postgres": "ok", "redis": "unavailable"}

    def test_finds_postgres_frozen_in_a_second_and_back_at_once(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            answer = get()
            assert 0.9 < time.monotonic() - began < 1.6
            assert answer.json()["checks"] == {"postgres": "unavailable", "redis": "ok"}
        finally:
            os.kill(pid, signal.SIGCONT)
        assert get().json() == WELL

    def test_is_well_again_after_a_broken_connection_was_noticed(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)
        get()
        assert get().json() == WELL
