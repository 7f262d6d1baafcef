"""Buckets: exact, shared by processes, and never a reason to wait for Redis."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.redis import Redis
from messaging.errors import RateLimited
from messaging.permissions.limits import Bucket, Given, SharedLimit, TypingLimit
from messaging.permissions.limits.shared import PAUSE_SECONDS
from messaging_service.tests.engines import frozen, own_redis

BURST = 20
# So slow that no test sees a new token by accident.
SLOWLY = 0.05

Make = Callable[..., SharedLimit]


@pytest.fixture
def user() -> str:
    return uuid4().hex


@pytest.fixture
def make() -> Make:
    """Each limit stands for a process of its own; those of one name share their buckets."""
    name = uuid4().hex

    def shared(per_second: float = SLOWLY, burst: int = BURST) -> SharedLimit:
        return SharedLimit(name, per_second=per_second, burst=burst)

    return shared


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[Redis]:
    with own_redis(tmp_path) as made:
        settings.REDIS_URL = made.url
        yield made


def take(limit: SharedLimit, user: str, count: int = 1) -> Given:
    return limit.ask({user: count})()[user]


class TestABucket:
    def test_gives_its_burst_and_no_more(self) -> None:
        bucket = Bucket(per_second=SLOWLY, burst=BURST)
        assert [bucket.take() for _ in range(BURST)] == [0.0] * BURST
        assert 19 < bucket.take() <= 20

    def test_fills_at_its_pace(self) -> None:
        bucket = Bucket(per_second=50, burst=2)
        bucket.give(2)
        wait = bucket.take()
        assert 0 < wait <= 0.02
        time.sleep(wait)
        assert bucket.take() == 0.0
        assert bucket.take() > 0

    def test_gives_a_part_of_what_is_too_much(self) -> None:
        bucket = Bucket(per_second=SLOWLY, burst=BURST)
        assert bucket.give(BURST + 3)[0] == BURST
        assert bucket.give(1)[0] == 0

    def test_holds_no_more_than_its_burst_however_long_it_rests(self) -> None:
        bucket = Bucket(per_second=1000, burst=3)
        time.sleep(0.05)
        assert bucket.give(100)[0] == 3


class TestTyping:
    WHO = "1", 7

    def test_is_told_again_after_a_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now, limit = 100.0, TypingLimit()
        monkeypatch.setattr("messaging.permissions.limits.typing.monotonic", lambda: now)
        limit.told(self.WHO, is_typing=True)
        assert limit.is_too_much(self.WHO, is_typing=True)
        now += 1
        assert not limit.is_too_much(self.WHO, is_typing=True)

    def test_that_ends_or_begins_is_told_at_once(self) -> None:
        limit = TypingLimit()
        for is_typing in (True, False, True):
            assert not limit.is_too_much(self.WHO, is_typing=is_typing)
            limit.told(self.WHO, is_typing=is_typing)

    def test_is_counted_for_each_person_and_room(self) -> None:
        limit = TypingLimit()
        limit.told(self.WHO, is_typing=True)
        assert not limit.is_too_much(("2", 7), is_typing=True)
        assert not limit.is_too_much(("1", 8), is_typing=True)

    def test_that_is_told_to_nobody_counts_for_nothing(self) -> None:
        """Whoever may not say it is refused each time."""
        limit = TypingLimit()
        assert not any(limit.is_too_much(self.WHO, is_typing=True) for _ in range(100))


class TestASharedLimit:
    def test_gives_its_burst_over_all_processes_and_no_more(self, make: Make, user: str) -> None:
        one, two = make(), make()
        assert sum(take(limit, user)[0] for limit in (one, two) * (BURST // 2)) == BURST
        for limit in (one, two):
            given, wait = take(limit, user)
            assert (given, 19 < wait <= 20) == (0, True)

    def test_gives_a_part_of_what_is_too_much(self, make: Make, user: str) -> None:
        assert take(make(), user, BURST - 1)[0] == BURST - 1
        assert take(make(), user, 3)[0] == 1
        assert take(make(), user, 3)[0] == 0

    def test_keeps_people_apart_in_one_question(self, make: Make, user: str) -> None:
        answer = make().ask({user: BURST + 1, "other": 1, "third": BURST})()
        assert {each: given for each, (given, _) in answer.items()} == {
            user: BURST,
            "other": 1,
            "third": BURST,
        }

    def test_fills_at_its_pace(self, make: Make, user: str) -> None:
        limit = make(per_second=50, burst=2)
        assert take(limit, user, 3) == (2, pytest.approx(0.02, abs=0.02))
        time.sleep(0.02)
        assert take(limit, user, 2)[0] == 1

    def test_takes_nothing_for_what_it_refuses(self, make: Make, user: str) -> None:
        limit = make(per_second=20, burst=1)
        take(limit, user)
        for _ in range(20):
            take(limit, user, 5)
        time.sleep(0.05)
        assert take(limit, user)[0] == 1

    def test_is_exact_with_many_at_once(self, make: Make, user: str) -> None:
        limits = [make() for _ in range(4)]
        with ThreadPoolExecutor(8) as threads:
            given = list(threads.map(lambda n: take(limits[n % 4], user)[0], range(100)))
        assert sum(given) == BURST

    def test_raises_with_whole_seconds_to_wait(self, make: Make, user: str) -> None:
        limit = make(per_second=5, burst=1)
        limit.take(user)
        with pytest.raises(RateLimited) as refused:
            limit.take(user)
        assert (refused.value.status, refused.value.retry_after) == (429, 1)

    def test_knows_who_has_nothing_left_until_he_has(self, make: Make, user: str) -> None:
        limit = make(per_second=20, burst=1)
        take(limit, user)
        assert limit.known_wait(user) == 0.0
        take(limit, user)
        assert 0 < limit.known_wait(user) <= 0.05
        time.sleep(limit.known_wait(user))
        assert limit.known_wait(user) == 0.0
        assert take(limit, user)[0] == 1

    def test_survives_an_answer_nobody_read(self, make: Make, user: str) -> None:
        limit = make()
        limit.ask({user: 1, "other": BURST})
        assert take(limit, user, BURST)[0] == BURST - 1

    def test_refuses_nobody_because_the_clock_of_redis_went_back(
        self, make: Make, user: str
    ) -> None:
        limit = make()
        assert take(limit, user, BURST)[0] == BURST
        client = limit._redis._links.link
        client.send_command("INCRBY", f"{limit._redis._prefix}{user}", 600 * 1_000_000)
        client.read_response()
        assert take(limit, user, BURST + 1)[0] == BURST
        assert take(limit, user)[0] == 0

    def test_forgets_who_is_full_again(self, make: Make, user: str) -> None:
        """Keys that nobody needs must not stay in Redis."""
        limit = make(per_second=50, burst=2)
        take(limit, user, 2)
        client = limit._redis._links.link
        client.send_command("PTTL", f"{limit._redis._prefix}{user}")
        assert 0 < client.read_response() <= 40


class TestWithoutRedis:
    @pytest.fixture(params=["frozen", "killed", "never there"])
    def away(
        self, redis: Redis, settings: Any, make: Make, request: pytest.FixtureRequest
    ) -> Iterator[SharedLimit]:
        """A limit that has worked, but for the last, when Redis goes away."""
        limit = make()
        if request.param == "never there":
            settings.REDIS_URL = "redis://127.0.0.1:9/0"
            yield limit
            return
        take(limit, "somebody")
        if request.param == "frozen":
            with frozen(redis):
                yield limit
        else:
            redis.process.kill()
            yield limit

    def test_each_process_counts_alone(self, away: SharedLimit, user: str) -> None:
        assert take(away, user, BURST + 1)[0] == BURST
        assert take(away, user)[0] == 0
        assert away.is_alone

    def test_it_waits_once_and_shortly(self, away: SharedLimit, user: str) -> None:
        began = time.monotonic()
        take(away, user)
        assert time.monotonic() - began < 0.25
        began = time.monotonic()
        for _ in range(BURST - 1):
            assert take(away, user)[0] == 1
        assert time.monotonic() - began < 0.05

    def test_it_counts_together_again_when_redis_is_back(
        self, redis: Redis, make: Make, user: str
    ) -> None:
        one, two = make(), make()
        with frozen(redis):
            take(one, "somebody")
            assert one.is_alone
        time.sleep(PAUSE_SECONDS)
        assert (take(one, user, BURST)[0], take(two, user)[0]) == (BURST, 0)
        assert not one.is_alone

    def test_a_restart_is_survived(self, redis: Redis, make: Make, user: str) -> None:
        limit = make()
        take(limit, user, BURST)
        redis.process.kill()
        take(limit, "somebody")
        redis.start()
        time.sleep(PAUSE_SECONDS)
        # Redis has forgotten everything, the script too.
        assert take(limit, user, BURST + 1)[0] == BURST
        assert not limit.is_alone

    def test_a_late_answer_is_not_taken_for_the_next(
        self, redis: Redis, make: Make, user: str
    ) -> None:
        limit = make()
        take(limit, "somebody")
        with frozen(redis):
            take(limit, "somebody", BURST)
        time.sleep(PAUSE_SECONDS)
        assert take(limit, user, 1)[0] == 1


class TestAcrossThreads:
    def test_each_has_a_connection_of_its_own(self, make: Make, user: str) -> None:
        limit = make()
        first = limit.ask({user: 1})
        other: list[Given] = []
        thread = threading.Thread(target=lambda: other.append(take(limit, user, BURST)))
        thread.start()
        thread.join()
        assert (first()[user][0], other[0][0]) == (1, BURST - 1)


DEFAULTS = """
from config.settings import LIMITS
print([LIMITS[name] for name in ("MESSAGES_PER_SECOND", "MESSAGE_BURST", "COMMANDS_PER_SECOND",
                                 "COMMAND_BURST", "SOCKETS_PER_USER")])
"""


class TestDefaults:
    def test_are_those_of_the_contract(self) -> None:
        ours = {name: value for name, value in os.environ.items() if "LIMIT_" not in name}
        said = subprocess.run(
            [sys.executable, "-c", DEFAULTS],
            env=ours | {"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout == "[5.0, 20, 20.0, 40, 20]\n"
