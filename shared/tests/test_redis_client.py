"""A frozen Redis costs one time-out, and no retries behind our back."""

import asyncio
import gc
import os
import signal
import time

import pytest
import redis.exceptions
from django.conf import settings
from django.test import override_settings

from service_kit.redis_client import connect, connect_async

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def frozen():
    """Freeze the real Redis for the test."""
    with connect() as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


class TestConnect:
    def test_reaches_redis(self):
        with connect() as client:
            client.set("kit", "é")
            assert client.get("kit") == "é".encode()

    @pytest.mark.usefixtures("frozen")
    def test_gives_up_on_a_frozen_redis_in_time(self):
        began = time.monotonic()
        with connect(timeout=0.3) as client, pytest.raises(redis.exceptions.TimeoutError):
            client.ping()
        assert 0.29 < time.monotonic() - began < 0.8

    @override_settings(REDIS_URL=NOWHERE)
    def test_says_at_once_that_nobody_is_there(self):
        began = time.monotonic()
        with connect() as client, pytest.raises(redis.exceptions.ConnectionError):
            client.ping()
        assert time.monotonic() - began < 0.5

    def test_recovers_by_itself_from_a_cut_line(self):
        with connect() as client, connect() as other:
            client.ping()
            other.client_kill_filter(_id=client.client_id())
            time.sleep(0.05)
            assert client.ping()

    def test_gives_nobody_the_answer_of_a_question_given_up(self):
        with connect(timeout=0.2) as client, connect() as other:
            other.set("mine", "mine")
            other.delete("queue")
            with pytest.raises(redis.exceptions.TimeoutError):
                client.blpop(["queue"], timeout=5)
            other.rpush("queue", "late")
            assert client.get("mine") == b"mine"

    def test_makes_connections_that_are_closed_when_nobody_keeps_them(self):
        """Not when the garbage collector comes by: threads that end leave theirs behind."""
        gc.disable()
        try:
            link = connect().connection_pool.make_connection()
            link.connect()
            held = link._sock
            del link
            assert held.fileno() == -1
        finally:
            gc.enable()


class TestConnectAsync:
    async def test_reaches_redis(self):
        async with connect_async() as client:
            assert await client.ping()

    @pytest.mark.usefixtures("frozen")
    async def test_gives_up_on_a_frozen_redis_in_time(self):
        began = time.monotonic()
        async with connect_async(timeout=0.3, connect_timeout=0.3) as client:
            with pytest.raises(redis.exceptions.TimeoutError):
                await client.ping()
        assert 0.29 < time.monotonic() - began < 0.8

    async def test_listens_for_long_without_a_time_out(self):
        async with connect_async(timeout=None) as client, client.pubsub() as listener:
            await listener.subscribe("bell")
            heard = asyncio.create_task(self.first(listener))
            await asyncio.sleep(0.2)
            async with connect_async() as other:
                await other.publish("bell", "ring")
            assert await asyncio.wait_for(heard, 2) == b"ring"

    async def first(self, listener):
        async for message in listener.listen():
            if message["type"] == "message":
                return message["data"]
        return None


class TestUrl:
    def test_is_the_setting(self):
        assert connect().connection_pool.connection_kwargs["port"] == int(
            settings.REDIS_URL.rpartition(":")[2].partition("/")[0]
        )
