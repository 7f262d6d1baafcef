"""Exactly one credential, wherever it stands."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from redis import Redis

from messaging_service.tests.sockets import Socket
from service_kit.testing import sign, token_for


@pytest.fixture
def redis():
    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture
def at(socket_server, room):
    """Open the room's socket with a query, headers or subprotocols."""
    opened = []

    def open_socket(query="", *, headers=None, protocols=()):
        address = f"{socket_server.address}/ws/chat/{room}/{query}"
        opened.append(Socket(address, headers=headers, protocols=protocols))
        return opened[-1]

    yield open_socket
    for socket in opened:
        socket.close()


@pytest.fixture
def ticket_of(api):
    def buy(person):
        answer = api.post("ws-ticket/", token=person.token)
        assert answer.status_code == 200, answer.content
        return answer.json()["ticket"]

    return buy


def bearer(person):
    return {"Authorization": f"Bearer {person.token}"}


class TestCredential:
    """Rule 25, where it stands beside the subprotocol."""

    def test_may_stand_in_the_query(self, at, alice):
        assert at(f"?token={alice.token}").next()["user_id"] == alice.id

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_may_stand_in_the_header(self, at, alice, scheme):
        socket = at(headers={"Authorization": f"{scheme} {alice.token}"})
        assert socket.next()["user_id"] == alice.id

    @pytest.mark.parametrize("order", [1, -1])
    def test_may_stand_beside_the_subprotocol(self, at, alice, order):
        socket = at(protocols=("parley.v1", f"bearer.{alice.token}")[::order])
        assert socket.next()["user_id"] == alice.id
        # The one with the token is never answered with.
        assert socket.link.subprotocol == "parley.v1"

    def test_may_come_with_the_subprotocol_and_stand_elsewhere(self, at, alice):
        socket = at(f"?token={alice.token}", protocols=("parley.v1", "soap"))
        assert socket.next()["user_id"] == alice.id
        assert socket.link.subprotocol == "parley.v1"

    def test_needs_no_subprotocol(self, at, alice):
        assert at(headers=bearer(alice)).link.subprotocol is None

    def test_is_not_looked_for_in_other_parameters(self, at, alice):
        assert at(f"?access_token={alice.token}").closed() == 4401


class TestRefusedCredential:
    """Rule 12."""

    @pytest.mark.parametrize(
        "protocols", [("bearer.{token}",), ("soap",), ("soap", "bearer.{token}")]
    )
    def test_without_the_protocol_is_4400(self, at, alice, protocols):
        socket = at(protocols=tuple(name.format(token=alice.token) for name in protocols))
        assert socket.closed() == 4400
        assert socket.link.subprotocol is None
        assert socket.unheard == []

    @pytest.mark.parametrize(
        ("query", "headers", "protocols"),
        [
            ("?token={token}&token={token}", None, ()),
            ("?token={token}&ticket=x", None, ()),
            ("?token={token}", {"Authorization": "Bearer {token}"}, ()),
            ("?token={token}", {"Authorization": "Basic x"}, ()),
            ("?token={token}", None, ("parley.v1", "bearer.{token}")),
            ("", {"Authorization": "Bearer {token}"}, ("parley.v1", "bearer.{token}")),
            ("", None, ("parley.v1", "bearer.{token}", "bearer.x")),
        ],
    )
    def test_given_twice_is_4400(self, at, alice, query, headers, protocols):
        def filled(text):
            return text.format(token=alice.token)

        socket = at(
            filled(query),
            headers=headers and {name: filled(value) for name, value in headers.items()},
            protocols=tuple(map(filled, protocols)),
        )
        assert socket.closed() == 4400
        assert socket.unheard == []

    @pytest.mark.parametrize("query", ["", "?", "?token=", "?token", "?ticket=", "?x=1"])
    def test_that_is_missing_is_4401(self, at, query):
        assert at(query).closed() == 4401

    @pytest.mark.parametrize(
        "token", ["x", "a.b.c", "%00", "%ff", "null", "eyJhbGciOiJub25lIn0.e30.", "x" * 4_097]
    )
    def test_that_is_garbage_is_4401(self, at, token):
        assert at(f"?token={token}").closed() == 4401

    def test_that_was_changed_is_4401(self, at, alice):
        head, _, signature = alice.token.split(".")
        other = token_for("1").split(".")[1]
        assert at(f"?token={head}.{other}.{signature}").closed() == 4401

    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic {token}", "{token}"])
    def test_in_a_bad_header_is_4401(self, at, alice, value):
        assert at(headers={"Authorization": value.format(token=alice.token)}).closed() == 4401

    def test_that_expired_is_4401(self, at, alice):
        assert at(f"?token={token_for(alice.id, expires_in=-31)}").closed() == 4401

    @pytest.mark.parametrize(
        "claim", [{"aud": "auth_service"}, {"iss": "mallory"}, {"token_type": "refresh"}]
    )
    def test_for_something_else_is_4401(self, at, alice, claim):
        assert at(f"?token={token_for(alice.id, **claim)}").closed() == 4401

    def test_signed_by_somebody_else_is_4401(self, at, alice):
        token = sign({"sub": alice.id}, key=Ed25519PrivateKey.generate())
        assert at(f"?token={token}").closed() == 4401


class TestTicket:
    """Rule 24."""

    def test_opens_a_socket_for_who_bought_it(self, at, alice, ticket_of):
        ready = at(f"?ticket={ticket_of(alice)}").next()
        assert (ready["user_id"], ready["session"]) == (alice.id, f"session-{alice.id}")

    def test_opens_one_socket_only(self, at, alice, ticket_of):
        ticket = ticket_of(alice)
        assert at(f"?ticket={ticket}").next()["type"] == "ready"
        again = at(f"?ticket={ticket}")
        assert (again.closed(), again.unheard) == (4401, [])

    def test_opens_one_of_a_hundred_at_once(self, at, alice, ticket_of):
        ticket = ticket_of(alice)

        def attempt(_):
            socket = at(f"?ticket={ticket}")
            frame = socket.first_or_closed()
            return frame if isinstance(frame, int) else frame["type"]

        with ThreadPoolExecutor(25) as threads:
            outcomes = sorted(map(str, threads.map(attempt, range(100))))
        assert outcomes == ["4401"] * 99 + ["ready"]

    def test_lasts_thirty_seconds(self, api, redis, alice, ticket_of):
        digest = hashlib.sha256(ticket_of(alice).encode()).hexdigest()
        left = redis.pttl(f"parley:ticket:{digest}")
        assert 25_000 < left <= 30_000

    def test_opens_nothing_after_that(self, at, redis, alice, ticket_of):
        ticket = ticket_of(alice)
        digest = hashlib.sha256(ticket.encode()).hexdigest()
        redis.pexpire(f"parley:ticket:{digest}", 0)
        assert at(f"?ticket={ticket}").closed() == 4401

    def test_is_nowhere_in_redis(self, redis, alice, ticket_of):
        ticket = ticket_of(alice)
        kept = {key: redis.get(key) for key in redis.scan_iter("parley:ticket:*")}
        assert kept
        for key, value in kept.items():
            assert ticket.encode() not in key + value
            assert alice.token.encode() not in key + value

    def test_opens_no_other_room(self, socket_server, open_room, bob, carol, alice, ticket_of):
        foreign = open_room(bob, carol)
        address = f"{socket_server.address}/ws/chat/{foreign}/?ticket={ticket_of(alice)}"
        with Socket(address) as socket:
            assert socket.closed() == 4403

    @pytest.mark.parametrize("ticket", ["x", "%00", "%ff", "*", "x" * 4_000])
    def test_cannot_be_guessed(self, at, ticket):
        assert at(f"?ticket={ticket}").closed() == 4401

    def test_ends_with_the_token_that_bought_it(self, at, api, alice):
        token = token_for(alice.id, username=alice.username, name="Alice", expires_in=-28)
        ticket = api.post("ws-ticket/", token=token).json()["ticket"]
        socket = at(f"?ticket={ticket}")
        assert socket.next()["type"] == "ready"
        assert socket.closed(within=4) == 4401
