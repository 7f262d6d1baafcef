"""What goes on by itself: held until it is done, and its failure told, unless nobody wants it."""

import asyncio
from contextlib import suppress

import pytest

from messaging.websocket.background import Background
from messaging.websocket.catching_up import CatchingUp
from messaging.websocket.hub.streams import PersonStream
from messaging.websocket.places import Places
from messaging_service.tests.websocket.ears import Ear, until


class Failed(list[Exception]):
    """Keeps what it is called with."""

    def __call__(self, error: Exception) -> None:
        self.append(error)


async def fail(*_: object) -> None:
    raise OSError


async def test_is_held_until_it_is_done() -> None:
    background, end = Background(), asyncio.Event()

    async def work() -> None:
        await end.wait()

    background.start(work())
    await asyncio.sleep(0)
    assert len(background._tasks) == 1
    end.set()
    await until(lambda: not background._tasks, within=1)


async def test_its_failure_is_told() -> None:
    background, failed = Background(), Failed()
    background.start(fail(), failed=failed)
    await until(lambda: bool(failed), within=1)
    assert [type(error) for error in failed] == [OSError]


async def test_that_is_cancelled_has_not_failed() -> None:
    background, failed, complaints = Background(), Failed(), Failed()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints(context["exception"]))
    # Even where it had not begun.
    background.start(asyncio.sleep(60), failed=failed)
    await background.stop()
    await asyncio.sleep(0)
    assert (failed, complaints, background._tasks) == ([], [], set())


async def test_that_forgets_that_it_was_cancelled_is_ended_all_the_same() -> None:
    background, begun = Background(), asyncio.Event()

    async def forget_once() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    background.start(forget_once())
    await begun.wait()
    async with asyncio.timeout(3):
        await background.stop()
    assert not background._tasks


async def test_a_catch_up_nobody_asked_for_fails_the_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = Failed()
    monkeypatch.setattr(CatchingUp, "personally", fail)
    places = Places(user_id="1", outlet=Ear("1"), left=print, failed=failed, sent_away=lambda: None)
    places.behind(PersonStream("1"), 7)
    await until(lambda: bool(failed), within=1)
    assert [type(error) for error in failed] == [OSError]
