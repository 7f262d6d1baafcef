"""Who is here: keepers hold connections in a Redis of their own, and tell who comes and goes."""

import asyncio
from contextlib import closing
from datetime import timedelta
from functools import partial
from itertools import chain
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils.timezone import now
from redis import Redis as Client

from messaging.actions.presence import chosen, leases, told
from messaging.actions.presence.chosen import set_presence
from messaging.errors import OutcomeUnknown
from messaging.models.presence import HEALER_KEY
from messaging.queries.presence import shown_presence
from messaging.websocket import threads
from messaging.websocket.commands.presence import presence
from messaging.websocket.presence import holding, telling
from messaging.websocket.threads import in_database_thread
from messaging_service.tests.actions.stage import new_link
from messaging_service.tests.engines import frozen, frozen_postgres, own_redis
from messaging_service.tests.websocket.keepers import Keepers, Kept, Told, longest_stall, until


@pytest.fixture(scope="module", autouse=True)
def _nobody_else_heals():
    """Socket processes of other tests share this Postgres, and would find its people gone."""
    with Client.from_url(settings.REDIS_URL) as client:
        client.set(HEALER_KEY, b"1", ex=600)
        yield
        client.delete(HEALER_KEY)


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with own_redis(tmp_path_factory.mktemp("presence")) as running:
        yield running


@pytest.fixture
def kept(redis, monkeypatch):
    """A Redis that begins anew for each test, with short times of grace."""
    monkeypatch.setattr(leases, "GRACE_SECONDS", 0.5)
    leases.client.cache_clear()
    with monkeypatch.context() as patch:
        # Only leases are kept there: all else of this process goes on using its own.
        patch.setattr(settings, "REDIS_URL", redis.url)
        leases.client()
    kept = Kept(redis.url)
    kept.client.flushall()
    yield kept
    leases.client.cache_clear()


@pytest.fixture
async def keepers(kept):
    made = Keepers()
    yield made
    await made.stop()


@pytest.fixture
def heard(monkeypatch):
    heard = Told()
    for module in (chosen, told):
        monkeypatch.setattr(module, "publish", heard)
    return heard


@pytest.fixture
def short_leases(monkeypatch):
    monkeypatch.setattr(holding, "HOLD_SECONDS", 1.5)
    monkeypatch.setattr(holding, "HEARTBEAT_SECONDS", 0.5)
    monkeypatch.setattr(holding, "LAPSE_SECONDS", 0.2)


@pytest.fixture
def eager_healer(monkeypatch):
    monkeypatch.setattr(told, "TRUSTED_SECONDS", 3.0)
    monkeypatch.setattr(telling, "HEAL_SECONDS", 0.2)
    monkeypatch.setattr(telling, "REST_SECONDS", 0.2)


@pytest.fixture
def short_silence(kept, monkeypatch):
    """After `kept`, which sets a time of grace too."""
    monkeypatch.setattr(leases, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(leases, "GRACE_SECONDS", 2.5)


@pytest.fixture
def crowd(make_person, open_room, alice):
    """People who share a room with alice."""
    people = [make_person("one") for _ in range(100)]
    for person in people:
        open_room(alice, person)
    return people


async def come(keeper, heard, *people):
    for person in people:
        keeper.opened(f"of {person.id}", person.id)
    await until(lambda: all(heard.of(person) == ["online"] for person in people), within=5)


async def seen(viewer, person):
    ask = partial(shown_presence, viewer_id=viewer.id, user_ids=[person.id])
    [shown] = await in_database_thread(ask)
    return shown


class TestADevice:
    async def test_is_told_at_once_and_its_clean_end_after_two_seconds(
        self, keepers, heard, alice, bob, room
    ):
        keeper = keepers()
        keeper.opened("a", alice.id)
        assert await until(lambda: heard.of(alice), within=2) < 1
        keeper.closed("a", clean=True)
        took = await until(lambda: len(heard.of(alice)) > 1, within=5)
        assert heard.of(alice) == ["online", "offline"]
        assert 1.9 < took < 3.7
        shown = await seen(bob, alice)
        assert shown == {key: heard.frames[-1][key] for key in shown}
        assert shown["status"] == "offline"
        assert shown["last_seen"] is not None
        assert shown["total_online_time"] in {2, 3}

    async def test_that_breaks_is_waited_for_ten_seconds(self, keepers, heard, alice, room):
        keeper = keepers()
        await come(keeper, heard, alice)
        keeper.closed(f"of {alice.id}", clean=False)
        took = await until(lambda: len(heard.of(alice)) > 1, within=14)
        assert 9.9 < took < 12

    async def test_that_opens_and_closes_in_one_moment_was_here(self, keepers, heard, alice, room):
        keeper = keepers()
        keeper.opened("a", alice.id)
        keeper.closed("a", clean=True)
        await until(lambda: heard.of(alice) == ["online", "offline"], within=5)

    async def test_is_kept_by_heartbeats(self, short_leases, keepers, heard, alice, room):
        await come(keepers(), heard, alice)
        await asyncio.sleep(4)
        assert heard.of(alice) == ["online"]

    async def test_nobody_shares_a_room_with_tells_nobody(self, keepers, heard, carol):
        keepers().opened("c", carol.id)
        await asyncio.sleep(1.5)
        assert (await seen(carol, carol))["total_online_time"] == 1
        assert heard.frames == []


class TestSeveralDevices:
    async def test_keep_one_online_until_the_last_is_gone(self, keepers, heard, alice, room):
        one, two = keepers(), keepers()
        one.opened("a", alice.id)
        two.opened("b", alice.id)
        await until(lambda: heard.of(alice), within=2)
        await asyncio.sleep(1.5)
        one.closed("a", clean=True)
        await asyncio.sleep(3.5)
        assert heard.of(alice) == ["online"]
        two.closed("b", clean=True)
        await until(lambda: heard.of(alice) == ["online", "offline"], within=5)

    async def test_that_reconnect_elsewhere_flip_nothing(self, keepers, heard, alice, room):
        one, two = keepers(), keepers()
        await come(one, heard, alice)
        for number in range(4):
            old, new = (one, two) if number % 2 == 0 else (two, one)
            old.closed(f"of {alice.id}" if number == 0 else f"try {number}", clean=True)
            await asyncio.sleep(1)
            new.opened(f"try {number + 1}", alice.id)
        await asyncio.sleep(3)
        assert heard.of(alice) == ["online"]

    async def test_never_wait_longer_for_a_device_that_broke_after_it_closed(
        self, keepers, kept, heard, alice, room
    ):
        keeper = keepers()
        await come(keeper, heard, alice)
        closed = leases.Lease(alice.id, f"of {alice.id}", 2.0, shortens=True)
        for seconds in (2.0, 10.0):
            leases.exchange([closed._replace(seconds=seconds)], lapse=False)
        assert kept.seconds_left(alice, f"of {alice.id}") < 2.1


class TestACrash:
    async def test_is_told_by_the_others_once_the_lease_is_over(
        self, short_leases, keepers, heard, alice, room
    ):
        one, _two, _three = keepers(), keepers(), keepers()
        await come(one, heard, alice)
        await keepers.crash(one)
        assert 0.4 < await until(lambda: len(heard.of(alice)) > 1, within=4) < 3
        await asyncio.sleep(1)
        assert heard.of(alice) == ["online", "offline"]

    async def test_between_noticing_and_telling_is_healed(
        self, eager_healer, keepers, heard, alice, room
    ):
        keeper = keepers()
        await come(keeper, heard, alice)
        keeper.closed(f"of {alice.id}", clean=True)
        await asyncio.sleep(0.5)
        await keepers.crash(keeper)
        await asyncio.sleep(2)
        assert leases.exchange([], lapse=True).gone == [alice.id]
        keepers()
        await until(lambda: heard.of(alice) == ["online", "offline"], within=5)

    async def test_between_holding_and_telling_is_healed(
        self, eager_healer, keepers, heard, alice, room
    ):
        leases.exchange([leases.Lease(alice.id, "a", 30)], lapse=True)
        keepers()
        await until(lambda: heard.of(alice) == ["online"], within=3)


class TestManyPeople:
    async def test_are_told_once_each_though_two_processes_look(self, keepers, heard, crowd):
        one, two = keepers(), keepers()
        await come(one, heard, *crowd[:50])
        await come(two, heard, *crowd[50:])
        for keeper, people in ((one, crowd[:50]), (two, crowd[50:])):
            for person in people:
                keeper.closed(f"of {person.id}", clean=True)
        await until(lambda: len(heard.frames) >= 200, within=6)
        await asyncio.sleep(1)
        assert {tuple(heard.of(person)) for person in crowd} == {("online", "offline")}

    async def test_that_come_together_are_written_together(
        self, keepers, heard, crowd, monkeypatch
    ):
        written = []
        monkeypatch.setattr(
            told, "came", lambda ids, real=told.came: (written.append(len(ids)), real(ids))
        )
        await come(keepers(), heard, *crowd)
        assert [number for number in written if number] == [len(crowd)]

    async def test_are_given_out_once_by_a_lapse(self, kept, make_person):
        ids = [f"{number}" for number in range(2_500)]
        leases.exchange([], lapse=True)
        leases.exchange([leases.Lease(each, "c", 0.5) for each in ids], lapse=False)
        await asyncio.sleep(0.6)
        gone = [leases.exchange([], lapse=True).gone for _ in range(4)]
        assert [len(each) for each in gone] == [1_000, 1_000, 500, 0]
        assert sorted(chain(*gone)) == sorted(ids)


def ask(process_id, redis=""):
    return leases.exchange([], lapse=True, by=leases.Process(process_id, redis))


class TestALapse:
    """What guards against taking everybody for gone after Redis was away."""

    def lapse(self, people=()):
        held = [leases.Lease(person.id, "c", 0.5) for person in people]
        return leases.exchange(held, lapse=True).gone

    async def test_waits_after_nobody_asked_for_long(self, kept, short_silence, alice, bob):
        self.lapse([alice, bob])
        await asyncio.sleep(2.6)
        assert self.lapse() == []
        assert not leases.see([alice.id]).is_calm
        for _ in range(3):
            await asyncio.sleep(0.7)
            assert self.lapse([alice]) == []
        await asyncio.sleep(0.4)
        assert (self.lapse([alice]), leases.see([alice.id]).is_calm) == ([bob.id], True)

    async def test_does_not_wait_while_somebody_asks(self, kept, short_silence, alice):
        self.lapse()
        for _ in range(4):
            await asyncio.sleep(0.7)
            self.lapse()
        self.lapse([alice])
        await asyncio.sleep(0.6)
        assert self.lapse() == [alice.id]

    async def test_waits_for_who_asked_before_the_silence(self, kept, short_silence, alice):
        quick, slow = (ask(name, ask(name).redis) for name in ("quick", "slow"))
        self.lapse([alice])
        await asyncio.sleep(1.2)
        quick = ask("quick", quick.redis)
        for _ in range(4):
            await asyncio.sleep(0.7)
            quick = ask("quick", quick.redis)
            assert (quick.gone, leases.see([alice.id]).is_calm) == ([], False)
        # It has asked, but held its leases before it knew of the silence.
        slow = ask("slow", slow.redis)
        assert ask("quick", quick.redis).gone == []
        assert ask("slow", slow.redis).gone == [alice.id]
        assert leases.see([alice.id]).is_calm

    @pytest.mark.parametrize("end", ["left", "crashed"])
    async def test_does_not_wait_for_who_is_no_more(
        self, kept, short_silence, monkeypatch, alice, end
    ):
        monkeypatch.setattr(leases, "LONGEST_GRACE_SECONDS", 3.5)
        ask("gone", ask("gone").redis)
        if end == "left":
            leases.leave([], process_id="gone")
        await asyncio.sleep(1.2)
        self.lapse([alice])
        for _ in range(3):
            await asyncio.sleep(0.9)
            found = self.lapse()
        assert found == ([alice.id] if end == "left" else [])
        await asyncio.sleep(0.9)
        assert [*found, *self.lapse()] == [alice.id]

    async def test_is_not_believed_by_who_cannot_ask(self, kept, short_silence, alice, heard):
        self.lapse()
        for _ in range(4):
            await asyncio.sleep(0.7)
            self.lapse()
        assert leases.see([alice.id]).is_calm
        await asyncio.sleep(1.1)
        assert not leases.see([alice.id]).is_calm
        await in_database_thread(told.came, [alice.id])
        assert await in_database_thread(told.settle, [alice.id]) == {alice.id}


class TestWithoutRedis:
    async def test_nothing_is_told_and_nobody_flips_when_it_is_back(
        self, short_leases, short_silence, redis, keepers, heard, crowd
    ):
        alice, bob, carol, *_ = crowd
        one, two = keepers(), keepers()
        await come(one, heard, alice)
        await come(two, heard, bob)
        await asyncio.sleep(3)
        with frozen(redis):
            one.opened("c", carol.id)
            assert await longest_stall(4) < 0.5
            assert len(heard.frames) == 2
        await until(lambda: heard.of(carol) == ["online"], within=3)
        await asyncio.sleep(5)
        assert (heard.of(alice), heard.of(bob)) == (["online"], ["online"])
        two.closed(f"of {bob.id}", clean=True)
        await until(lambda: heard.of(bob) == ["online", "offline"], within=5)

    async def test_nobody_flips_though_no_process_noticed(
        self, keepers, kept, heard, alice, bob, room
    ):
        one, two = keepers(), keepers()
        await come(one, heard, alice)
        await come(two, heard, bob)
        await asyncio.sleep(1.5)
        kept.pass_time(60, alice, bob)
        await asyncio.sleep(3)
        assert (heard.of(alice), heard.of(bob)) == (["online"], ["online"])
        assert kept.seconds_left(alice, f"of {alice.id}") > 30
        two.closed(f"of {bob.id}", clean=True)
        await until(lambda: heard.of(bob) == ["online", "offline"], within=5)

    async def test_everything_is_held_again_when_it_is_back(
        self, redis, keepers, kept, heard, alice, room
    ):
        await come(keepers(), heard, alice)
        await asyncio.sleep(3)
        with frozen(redis):
            await asyncio.sleep(2.5)
        await until(lambda: kept.seconds_left(alice, f"of {alice.id}") > 33, within=3)

    async def test_who_closed_before_it_began_anew_goes(self, redis, keepers, heard, alice, room):
        keeper = keepers()
        await come(keeper, heard, alice)
        redis.stop()
        keeper.closed(f"of {alice.id}", clean=True)
        await asyncio.sleep(2.5)
        redis.start()
        await until(lambda: heard.of(alice) == ["online", "offline"], within=8)

    async def test_who_closed_meanwhile_goes_when_it_is_back(
        self, redis, keepers, heard, alice, room
    ):
        keeper = keepers()
        await come(keeper, heard, alice)
        with frozen(redis):
            keeper.closed(f"of {alice.id}", clean=True)
            await asyncio.sleep(1.5)
            kept_before = heard.of(alice)
        assert kept_before == ["online"]
        await until(lambda: heard.of(alice) == ["online", "offline"], within=5)

    async def test_that_forgot_everything_is_told_it_again(
        self, keepers, kept, heard, eager_healer, alice, bob, room
    ):
        one, two = keepers(), keepers()
        await come(one, heard, alice)
        await come(two, heard, bob)
        begun = kept.begun()
        kept.client.flushall()
        assert await until(lambda: kept.people() == {alice.id, bob.id}, within=4) < 3
        assert kept.begun() not in {begun, None}
        await asyncio.sleep(4)
        assert (heard.of(alice), heard.of(bob)) == (["online"], ["online"])
        one.closed(f"of {alice.id}", clean=True)
        await until(lambda: heard.of(alice) == ["online", "offline"], within=5)

    async def test_that_forgot_a_crashed_process_is_believed_after_a_while(
        self, keepers, kept, heard, eager_healer, alice, room
    ):
        one, _two = keepers(), keepers()
        await come(one, heard, alice)
        await keepers.crash(one)
        kept.client.flushall()
        await asyncio.sleep(2.5)
        assert heard.of(alice) == ["online"]
        await until(lambda: heard.of(alice) == ["online", "offline"], within=4)


class TestWithoutPostgres:
    async def test_leases_are_held_and_the_news_told_when_it_is_back(
        self, keepers, kept, heard, alice, bob, room
    ):
        keeper = keepers()
        await come(keeper, heard, alice)
        with frozen_postgres():
            keeper.closed(f"of {alice.id}", clean=True)
            keeper.opened("b", bob.id)
            assert await longest_stall(4) < 0.5
            assert kept.people() == {bob.id}
        await until(lambda: heard.of(alice) == ["online", "offline"], within=8)
        assert heard.of(bob) == ["online"]


class TestTheEndOfAProcess:
    async def test_leaves_its_people_ten_seconds(self, keepers, kept, heard, alice, room):
        keeper = keepers()
        await come(keeper, heard, alice)
        assert kept.seconds_left(alice, f"of {alice.id}") > 30
        await keepers.stop()
        assert 8 < kept.seconds_left(alice, f"of {alice.id}") <= 10
        assert heard.of(alice) == ["online"]


class TestACustomStatus:
    async def test_is_told_to_have_ended(self, eager_healer, keepers, heard, alice, room):
        keepers()
        soon = now() + timedelta(seconds=1)
        saying = partial(set_presence, user_id=alice.id, custom_status="x", status_expires_at=soon)
        await in_database_thread(saying)
        assert await until(lambda: len(heard.of(alice)) > 1, within=5) > 0.5
        assert [each["custom_status"] for each in heard.frames] == ["x", None]


class TestTheCommand:
    async def test_that_takes_too_long_may_have_been_carried_out(self, monkeypatch, alice):
        await in_database_thread(told.came, [alice.id])
        monkeypatch.setattr(threads, "LONGEST_WAIT_SECONDS", 0.3)
        connection = SimpleNamespace(claims=SimpleNamespace(user_id=alice.id))
        with closing(new_link()) as link, link.cursor() as cursor:
            cursor.execute("SELECT FROM presence WHERE user_id = %s FOR UPDATE", [alice.id])
            with pytest.raises(OutcomeUnknown):
                await presence(connection, {"status": "busy"}, None)
        await asyncio.sleep(0.5)
        assert (await seen(alice, alice))["status"] == "busy"


class TestWhoHides:
    @pytest.mark.parametrize("status", ["invisible", "offline"])
    async def test_comes_and_goes_unseen(self, keepers, heard, alice, bob, room, status):
        await in_database_thread(set_presence, user_id=alice.id, status=status)
        keeper = keepers()
        before = await seen(bob, alice)
        keeper.opened("a", alice.id)
        await come(keeper, heard, bob)
        assert await seen(bob, alice) == before
        keeper.closed("a", clean=True)
        keeper.closed(f"of {bob.id}", clean=True)
        await until(lambda: heard.of(bob) == ["online", "offline"], within=5)
        assert await seen(bob, alice) == before
        assert heard.of(alice) == []
        assert before["status"] == "offline"
