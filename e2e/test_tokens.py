"""Tokens nobody issued, or not for this, at both services and in every place a token may stand."""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from e2e.chaos.faults.clocks import Clock
from e2e.chaos.faults.fault import ImpossibleError
from e2e.faults import rewired
from e2e.people import PASSWORD, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from e2e.people import Person
    from local.stack import Stack

ENDED: Final = 4401
SERVICES: Final = ("/api/auth/me/", "/api/chat/rooms/")
RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER: Final = ed25519.Ed25519PrivateKey.generate()
DAY: Final = 24 * 3600


class Mint:
    """Makes tokens like somebody's, as auth_service would or as it never would."""

    def __init__(self, stack: Stack, person: Person) -> None:
        self.access, self.refresh = person.access, person.refresh
        self.header = jwt.get_unverified_header(person.access)
        self.claims = jwt.decode(person.access, options={"verify_signature": False})
        pem = (stack.home / "jwt-private-key.pem").read_bytes()
        self._key: Any = load_pem_private_key(pem, password=None)

    @property
    def public(self) -> bytes:
        """What everybody knows of the key."""
        key = self._key.public_key()
        return bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def token(self, *, header: Mapping[str, object] | None = None, **claims: object) -> str:
        """Signed by the key itself; a claim or a header that is None is left out."""
        signed = f"{_part(_some(self.header, header or {}))}.{_part(_some(self.claims, claims))}"
        return f"{signed}.{_text(self._key.sign(signed.encode()))}"

    def foreign(self, key: object, algorithm: str, **header: object) -> str:
        """Signed by another key."""
        headers = self.header | {"alg": algorithm} | header
        return jwt.encode(self.claims, key, algorithm=algorithm, headers=headers)  # type: ignore[arg-type]

    def shifted(self, seconds: int) -> str:
        """As by a clock that is so far ahead, or behind, at the very moment it is made."""
        now = int(time.time()) + seconds
        return self.token(iat=now, nbf=now, exp=now + 300)

    def old(self, seconds: int) -> str:
        """One that was over so long ago."""
        now = int(time.time())
        return self.token(iat=now - 300 - seconds, nbf=now - 300 - seconds, exp=now - seconds)


def _some(given: Mapping[str, object], changed: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(mint: Mint, algorithm: str) -> str:
    return f"{_part(mint.header | {'alg': algorithm})}.{mint.access.split('.')[1]}."


HOSTILE: Final[dict[str, Callable[[Mint], str]]] = {
    "nothing": lambda _: "x",
    "two parts": lambda mint: mint.access.rpartition(".")[0],
    "no signature": lambda mint: mint.access.rpartition(".")[0] + ".",
    "another's signature": lambda mint: mint.foreign(OTHER, "EdDSA"),
    "another character": lambda mint: mint.access[:-9] + "AAAA" + mint.access[-5:],
    "another payload": lambda mint: (
        f"{mint.access.split('.')[0]}.{_part(mint.claims | {'sub': '1'})}."
        f"{mint.access.split('.')[2]}"
    ),
    "none": lambda mint: unsigned(mint, "none"),
    "NONE": lambda mint: unsigned(mint, "NONE"),
    "nOnE": lambda mint: unsigned(mint, "nOnE"),
    "HS256 with the public key": lambda mint: mint.foreign(mint.public, "HS256"),
    "RS256 of another key": lambda mint: mint.foreign(RSA, "RS256"),
    "PS256 of another key": lambda mint: mint.foreign(RSA, "PS256"),
    "another alg in the header": lambda mint: mint.token(header={"alg": "RS256"}),
    "a key of its own": lambda mint: mint.foreign(
        OTHER, "EdDSA", jwk={"kty": "OKP", "crv": "Ed25519", "x": _text(mint.public)}
    ),
    "a key from elsewhere": lambda mint: mint.foreign(
        OTHER, "EdDSA", jku="http://127.0.0.1:9/keys", x5u="http://127.0.0.1:9/x"
    ),
    "an unknown kid": lambda mint: mint.token(header={"kid": "unknown"}),
    "a kid that is a file": lambda mint: mint.token(header={"kid": "../../../../dev/null"}),
    "a kid that is SQL": lambda mint: mint.token(header={"kid": "' OR 1=1 --"}),
    "no kid": lambda mint: mint.token(header={"kid": None}),
    "crit": lambda mint: mint.token(header={"crit": ["b64"], "b64": False}),
    "another typ": lambda mint: mint.token(header={"typ": "rt+jwt"}),
    "no typ": lambda mint: mint.token(header={"typ": None}),
    "another audience": lambda mint: mint.token(aud=["billing"]),
    "no audience": lambda mint: mint.token(aud=None),
    "another issuer": lambda mint: mint.token(iss="parley "),
    "no issuer": lambda mint: mint.token(iss=None),
    "a refresh token by its claims": lambda mint: mint.token(token_type="refresh"),
    "a real refresh token": lambda mint: mint.refresh,
    "no session": lambda mint: mint.token(sid=None),
    "a session that is a list": lambda mint: mint.token(sid=[mint.claims["sid"]]),
    "no jti": lambda mint: mint.token(jti=None),
    "no iat": lambda mint: mint.token(iat=None),
    "no exp": lambda mint: mint.token(exp=None),
    "exp as text": lambda mint: mint.token(exp="9999999999"),
    "exp beyond numbers": lambda mint: mint.token(exp=10**20),
    "nobody": lambda mint: mint.token(sub=None, user_id=None),
    "two people": lambda mint: mint.token(user_id="1"),
    "somebody who is a number": lambda mint: mint.token(sub=1, user_id=1),
    "somebody who is an object": lambda mint: mint.token(sub={"id": 1}, user_id={"id": 1}),
    "not yet": lambda mint: mint.token(nbf=int(time.time()) + 120),
    "of tomorrow": lambda mint: mint.shifted(DAY),
    "too long": lambda mint: mint.token(more="m" * 4_096),
}


@pytest.fixture
def mint(stack: Stack, alice: Person) -> Mint:
    return Mint(stack, alice)


def over_http(stack: Stack, path: str, token: str, *, cookie: bool) -> tuple[int, str | None]:
    """The status, and the code of a refusal."""
    header = {"Cookie": f"access_token={token}"} if cookie else {"Authorization": f"Bearer {token}"}
    answer = httpx.get(stack.address + path, headers=header, timeout=SECONDS)
    return answer.status_code, answer.json().get("code")


def over_socket(stack: Stack, token: str, place: str) -> int | str:
    """The type of the first frame, or the code it is closed with before one."""
    query, options = "", dict[str, Any]()
    match place:
        case "query" | "ticket":
            query = f"?{'token' if place == 'query' else place}={token}"
        case "header":
            options["additional_headers"] = {"Authorization": f"Bearer {token}"}
        case "cookie":
            origin = {"Cookie": f"access_token={token}", "Origin": stack.address}
            options["additional_headers"] = origin
        case "subprotocol":
            options["subprotocols"] = [Subprotocol("parley.v1"), Subprotocol(f"bearer.{token}")]
    address = stack.address.replace("http", "ws", 1)
    with connect(f"{address}/ws/chat/{query}", **options) as socket:
        try:
            return str(json.loads(socket.recv(SECONDS))["type"])
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


PLACES: Final = ("query", "header", "cookie", "subprotocol")


class TestAHostileToken:
    def test_is_made_of_one_that_opens_every_door(self, stack: Stack, mint: Mint) -> None:
        token = mint.token()
        for path in SERVICES:
            for cookie in (False, True):
                assert over_http(stack, path, token, cookie=cookie) == (200, None)
        for place in PLACES:
            assert over_socket(stack, token, place) == "ready"

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_opens_none(self, stack: Stack, mint: Mint, kind: str) -> None:
        token = HOSTILE[kind](mint)
        for path in SERVICES:
            for cookie in (False, True):
                answer = over_http(stack, path, token, cookie=cookie)
                assert answer == (401, "not_authenticated")
        for place in (*PLACES, "ticket"):
            assert over_socket(stack, token, place) == ENDED

    def test_renews_no_socket(self, alice: Person, bob: Person, mint: Mint) -> None:
        with alice.listens(alice.opens_room_with(bob)) as ear:
            for kind in list(HOSTILE)[:30]:
                ear.says(type="auth", token=HOSTILE[kind](mint), ref=kind)
                told = ear.hears_first("error")
                assert (told["ref"], told["code"]) == (kind, "not_authenticated")
            ear.says(type="auth", token=mint.token(), ref="good")
            assert ear.hears_first("ack")["ref"] == "good"

    @pytest.mark.parametrize("kind", ["another's session", "another session of hers"])
    def test_of_another_session_ends_a_socket(
        self, alice: Person, bob: Person, mint: Mint, kind: str
    ) -> None:
        token = bob.access if kind == "another's session" else mint.token(sid="another")
        with alice.listens(alice.opens_room_with(bob)) as ear:
            ear.says(type="auth", token=token)
            with pytest.raises(ConnectionClosed) as closed:
                ear.hears_first("ack")
            assert closed.value.rcvd
            assert closed.value.rcvd.code == ENDED

    def test_is_no_refresh_token(self, stack: Stack, mint: Mint) -> None:
        for token in (mint.access, mint.token(token_type="refresh")):
            url = f"{stack.address}/api/auth/refresh/"
            answer = httpx.post(url, json={"refresh": token}, timeout=SECONDS)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("path", ["token/", "token/verify/", "token/refresh/", "token/blacklist/"])
def test_rule_27_nobody_else_judges_tokens(alice: Person, path: str) -> None:
    answer = alice.http.post(f"/api/auth/{path}", json={"token": alice.access})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestClocksApart:
    """Rule 22: half a minute is tolerated, two are not, in either direction."""

    @pytest.mark.parametrize("seconds", [25, -25])
    def test_by_25_seconds_do_not_matter(self, stack: Stack, mint: Mint, seconds: int) -> None:
        token = mint.shifted(seconds) if seconds > 0 else mint.old(-seconds)
        for path in SERVICES:
            assert over_http(stack, path, token, cookie=False) == (200, None)
        assert {over_socket(stack, token, place) for place in PLACES} == {"ready"}

    @pytest.mark.parametrize(
        ("seconds", "code"), [(120, "not_authenticated"), (-120, "token_expired")]
    )
    def test_by_120_seconds_do(self, stack: Stack, mint: Mint, seconds: int, code: str) -> None:
        token = mint.shifted(seconds) if seconds > 0 else mint.old(-seconds)
        for path in SERVICES:
            assert over_http(stack, path, token, cookie=False) == (401, code)
        assert {over_socket(stack, token, place) for place in PLACES} == {ENDED}

    def test_are_those_of_the_services_themselves(self, stack: Stack, alice: Person) -> None:
        try:
            clock = Clock(stack.home)
        except ImpossibleError as error:
            pytest.skip(str(error))
        body = {"username": alice.username, "password": PASSWORD}
        # Past the gateway, which leaves out a process whose clock is wrong.
        address = f"http://127.0.0.1:{stack.process('auth_service').port}"
        told: dict[int, tuple[int, str | None]] = {}
        with (
            rewired(stack, "auth_service", **clock.settings),
            closing(httpx.Client(base_url=address, timeout=SECONDS)) as http,
        ):
            for seconds in (25, -25, 120, -400):
                clock.set(seconds)
                token = http.post("/api/auth/login/", json=body).json()["access"]
                told[seconds] = over_http(stack, "/api/chat/rooms/", token, cookie=False)
            clock.set(0)
        assert told == {
            25: (200, None),
            -25: (200, None),
            120: (401, "not_authenticated"),
            -400: (401, "token_expired"),
        }
