"""The inbox: from many threads to one loop, nothing lost, and in each thread's order."""

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from messaging.websocket.inbox import Inbox, inbox_of


class TestAnInbox:
    async def test_calls_everything_once_in_each_threads_order(self) -> None:
        inbox = Inbox(asyncio.get_running_loop())
        got: list[tuple[int, int]] = []
        count, threads = 5_000, 4

        def take(thread: object, n: object) -> None:
            assert isinstance(thread, int)
            assert isinstance(n, int)
            got.append((thread, n))

        def post(thread: int) -> None:
            for n in range(count):
                inbox.post(take, thread, n)

        with ThreadPoolExecutor(threads) as pool:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(pool, post, n) for n in range(threads)))
        for _ in range(100):
            if len(got) == count * threads:
                break
            await asyncio.sleep(0.02)
        for thread in range(threads):
            assert [n for who, n in got if who == thread] == list(range(count))

    async def test_never_sleeps_over_what_comes_when_it_was_just_empty(self) -> None:
        got: list[object] = []

        class Late(deque[Any]):
            """Something is posted after it was found empty, before anybody acts on that."""

            def __bool__(self) -> bool:
                found = len(self) > 0
                if not found and not got[1:]:
                    got.append("asked")
                    thread = threading.Thread(target=inbox.post, args=(take, "late", None))
                    thread.start()
                    thread.join()
                return found

        def take(first: object, _: object) -> None:
            got.append(first)

        inbox = Inbox(asyncio.get_running_loop())
        inbox._calls = Late()
        inbox.post(take, "first", None)
        await asyncio.sleep(0.05)
        assert got == ["first", "asked", "late"]

    async def test_calls_on_the_loops_own_thread(self) -> None:
        inbox = Inbox(asyncio.get_running_loop())
        called = asyncio.Event()
        where: list[int] = []

        def take(_: object, __: object) -> None:
            where.append(threading.get_ident())
            called.set()

        await asyncio.to_thread(inbox.post, take, None, None)
        await asyncio.wait_for(called.wait(), 1)
        assert where == [threading.get_ident()]

    async def test_goes_on_after_a_call_that_fails(self) -> None:
        """Or the acks of others would wait until somebody sends again."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        inbox = Inbox(loop)
        got: list[object] = []

        def fail(_: object, __: object) -> None:
            raise RuntimeError("a socket that is gone")

        def take(first: object, second: object) -> None:
            got.append((first, second))

        inbox.post(fail, None, None)
        inbox.post(take, 1, 2)
        await asyncio.sleep(0.05)
        assert got == [(1, 2)]

    async def test_that_is_filled_all_the_time_leaves_the_loop_to_others(self) -> None:
        inbox = Inbox(asyncio.get_running_loop())
        stop = threading.Event()

        def post() -> None:
            while not stop.is_set():
                inbox.post(lambda *_: None, None, None)

        thread = threading.Thread(target=post)
        thread.start()
        try:
            loop = asyncio.get_running_loop()
            for _ in range(20):
                start = loop.time()
                await asyncio.sleep(0)
                assert loop.time() - start < 1.0
        finally:
            stop.set()
            thread.join()

    def test_of_a_closed_loop_forgets(self) -> None:
        loop = asyncio.new_event_loop()
        inbox = Inbox(loop)
        loop.close()
        inbox.post(lambda *_: None, None, None)

    async def test_is_one_for_each_loop(self) -> None:
        loop = asyncio.get_running_loop()
        assert inbox_of(loop) is inbox_of(loop)
