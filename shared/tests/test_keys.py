"""The ring (rule 17) stays fresh in the background, and works with nobody to ask."""

import os
import stat
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from service_kit import keys
from service_kit.jwks import Key
from service_kit.keys import KeyRing, check_keys, key_ring
from service_kit.testing import public_key_pem
from shared.tests.key_server import jwk, key_server, key_set


@pytest.fixture
def server():
    with key_server() as server:
        yield server


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "keys.json"


def eventually(check, seconds=3.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def rings():
    """Make rings that stop asking when the test is over."""
    made = []

    def make(**options):
        made.append(KeyRing(**options))
        return made[-1]

    yield make
    for ring in made:
        ring.hold({})
        ring._wanted.set()


class TestStart:
    def test_fetches_once_and_saves(self, rings, server, file):
        ring = rings(url=server.url, cache_file=file)
        ring.start()
        assert ring.find("a").algorithm == "EdDSA"
        assert file.read_bytes() == server.answer
        assert len(server.fetches) == 1

    def test_saves_for_the_owner_alone_and_leaves_nothing_else(self, rings, server, file):
        rings(url=server.url, cache_file=file).start()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_needs_nobody_when_keys_are_on_disk(self, rings, server, file):
        rings(url=server.url, cache_file=file).start()
        later = rings(url="http://127.0.0.1:1/", cache_file=file)
        began = time.monotonic()
        later.start()
        assert later.find("a")
        assert time.monotonic() - began < 0.5

    def test_refreshes_soon_what_came_from_disk(self, rings, server, file):
        rings(url=server.url, cache_file=file).start()
        server.answer = key_set(jwk("b"))
        later = rings(url=server.url, cache_file=file)
        later.start()
        assert eventually(lambda: later.find("b") and not later.find("a"))

    @pytest.mark.parametrize(
        "content", [b"", b"garbage", b'{"keys":[]}', b"[" * 70_000, b" " * 200_000, b"\x00\xff"]
    )
    def test_ignores_a_bad_file(self, rings, server, file, content):
        file.parent.mkdir()
        file.write_bytes(content)
        ring = rings(url=server.url, cache_file=file)
        ring.start()
        assert ring.find("a")
        assert file.read_bytes() == server.answer

    def test_ignores_a_place_it_cannot_write(self, rings, server):
        ring = rings(url=server.url, cache_file=keys.Path("/proc/nothing/keys.json"))
        ring.start()
        assert ring.find("a")

    def test_survives_having_nobody_to_ask(self, rings, file):
        ring = rings(url="http://127.0.0.1:1/", cache_file=file)
        ring.start()
        assert ring.is_empty
        assert ring.find("a") is None

    def test_goes_on_trying_soon_while_empty(self, rings, server):
        good, server.answer = server.answer, b"not yet"
        ring = rings(url=server.url)
        ring.start()
        assert ring.is_empty
        server.answer = good
        assert eventually(lambda: ring.find("a"))


class TestFind:
    def test_loads_by_itself_where_start_was_forgotten(self, rings, server):
        ring = rings(url=server.url)
        assert ring.find("a") is None
        assert eventually(lambda: ring.find("a"))

    def test_never_waits(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        server.answer = server.hang
        ring._fetched_at -= keys.COOLDOWN_SECONDS
        began = time.monotonic()
        ring.find("new")
        assert eventually(lambda: len(server.fetches) == 2)
        assert ring.find("new") is None
        assert ring.find("a")
        assert time.monotonic() - began < 1

    def test_asks_at_once_for_an_unknown_kid_if_the_last_time_is_long_ago(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        server.answer = key_set(jwk("a"), jwk("b"))
        ring._fetched_at -= keys.COOLDOWN_SECONDS
        assert ring.find("b") is None
        assert eventually(lambda: ring.find("b"))

    def test_asks_once_for_a_flood_of_unknown_kids(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        threads = [
            threading.Thread(target=lambda: [ring.find(f"bogus{n}") for n in range(2500)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.fetches) == 1

    def test_asks_again_after_the_cooldown_and_not_before(self, rings, server, monkeypatch):
        monkeypatch.setattr(keys, "COOLDOWN_SECONDS", 0.5)
        ring = rings(url=server.url)
        ring.start()
        end = time.monotonic() + 1.75
        while time.monotonic() < end:
            ring.find("bogus")
            time.sleep(0.001)
        assert 3 <= len(server.fetches) <= 4

    def test_asks_nobody_for_a_token_without_kid(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        ring._fetched_at -= keys.COOLDOWN_SECONDS
        assert ring.find(None) is None
        assert not ring._wanted.is_set()

    def test_refreshes_without_being_asked(self, rings, server, monkeypatch):
        monkeypatch.setattr(keys, "COOLDOWN_SECONDS", 0.0)
        monkeypatch.setattr(keys, "REFRESH_SECONDS", 0.1)
        rings(url=server.url).start()
        assert eventually(lambda: len(server.fetches) >= 3)

    def test_works_in_a_forked_child(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        server.answer = key_set(jwk("b"))
        child = os.fork()
        if child == 0:
            ring._fetched_at -= keys.COOLDOWN_SECONDS
            ring.find("b")
            os._exit(0 if eventually(lambda: ring.find("b")) else 1)
        assert os.waitpid(child, 0)[1] == 0


class TestRefresh:
    @pytest.mark.parametrize("how", ["flood", "redirect", "fail", b"garbage", b'{"keys":[]}', b""])
    def test_keeps_the_old_keys_when_anything_is_wrong(self, rings, server, file, how):
        ring = rings(url=server.url, cache_file=file)
        ring.start()
        saved = file.read_bytes()
        server.answer = getattr(server, how) if isinstance(how, str) else how
        ring.refresh()
        assert ring.find("a")
        assert file.read_bytes() == saved
        assert len(server.fetches) == 2

    def test_drops_a_key_no_longer_published(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        server.answer = key_set(jwk("b"))
        ring.refresh()
        assert ring.find("b")
        assert ring.find("a") is None

    def test_says_in_one_line_that_it_failed(self, rings, lines):
        rings(url="http://127.0.0.1:1/").refresh()
        (line,) = lines()
        assert line["message"] == "keys were not refreshed: ConnectionRefusedError"


class TestHold:
    def test_trusts_exactly_these_and_asks_nobody(self, rings, server):
        ring = rings(url=server.url)
        ring.start()
        mine = Key("EdDSA", Ed25519PrivateKey.generate().public_key())
        ring.hold({"mine": mine})
        ring._fetched_at -= keys.COOLDOWN_SECONDS
        assert ring.find("mine") is mine
        assert ring.find("a") is None
        time.sleep(0.2)
        assert len(server.fetches) == 1

    def test_outlasts_an_answer_that_is_still_on_its_way(self, rings, server):
        ring, published = rings(url=server.url), server.answer
        asked = threading.Event()

        def answer(handler):
            asked.set()
            server.released.wait(2)
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(published)

        server.answer = answer
        refreshing = threading.Thread(target=ring.refresh)
        refreshing.start()
        assert asked.wait(2)
        ring.hold({})
        server.released.set()
        refreshing.join()
        assert ring.is_empty


class TestKeyRing:
    def make(self, **values):
        with override_settings(**values):
            key_ring.cache_clear()
            return key_ring()

    def test_is_one_per_process(self):
        assert key_ring() is key_ring()

    def test_fetches_from_the_settings(self, server, file):
        ring = self.make(JWKS_URL=server.url, JWKS_CACHE_FILE=str(file))
        ring.start()
        assert ring.find("a")
        assert file.exists()
        ring.hold({})

    @pytest.mark.parametrize("values", [{"JWT_PUBLIC_KEY": None}, {"JWT_SECRET": "s" * 40}])
    def test_of_one_fixed_key_asks_nobody(self, server, values):
        known = {"JWT_PUBLIC_KEY": public_key_pem()} if "JWT_PUBLIC_KEY" in values else values
        algorithm = "EdDSA" if "JWT_PUBLIC_KEY" in values else "HS256"
        ring = self.make(JWKS_URL=server.url, JWT_ALGORITHM=algorithm, **known)
        ring.start()
        assert ring.find("any") is ring.find(None)
        assert ring.find(None).algorithm == algorithm
        time.sleep(0.2)
        assert server.fetches == []

    @pytest.mark.parametrize(
        "values",
        [
            {"JWT_PUBLIC_KEY": "not a key"},
            {"JWT_PUBLIC_KEY": "KEY", "JWT_ALGORITHM": "RS256"},
            {"JWT_PUBLIC_KEY": "KEY", "JWT_ALGORITHM": "HS256"},
            {"JWT_PUBLIC_KEY": "KEY", "JWT_ALGORITHM": "none"},
            {"JWT_SECRET": "s" * 40, "JWT_ALGORITHM": "EdDSA"},
            {"JWT_SECRET": "KEY", "JWT_ALGORITHM": "HS256"},
        ],
    )
    def test_refuses_a_key_that_does_not_fit_its_algorithm(self, values):
        real = {name: public_key_pem() if text == "KEY" else text for name, text in values.items()}
        with pytest.raises(ImproperlyConfigured):
            self.make(**real)


class TestCheckKeys:
    def test_passes_with_keys_and_raises_without(self):
        check_keys()
        key_ring().hold({})
        with pytest.raises(ImproperlyConfigured):
            check_keys()
