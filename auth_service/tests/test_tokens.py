import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from accounts.keys.current import signing_key
from accounts.keys.files import thumbprint
from accounts.models import Session
from service_kit.jwks import parse_jwks
from service_kit.testing import token_for
from service_kit.tokens import verify

JWKS = "/.well-known/jwks.json"


def decode(part: str) -> dict[str, object]:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.django_db
class TestAccessToken:
    def test_holds_what_both_services_need_and_nothing_personal(self, api, alice):
        """Rules 2 and 3."""
        api.patch("/api/auth/me/", {"display_name": "Alice A."}, token=alice.access)
        answer = api.post("/api/auth/refresh/", {"refresh": alice.refresh})
        header, payload, _ = answer.json()["access"].split(".")
        claims = decode(payload)
        issued_at, token_id = claims.pop("iat"), claims.pop("jti")
        assert decode(header) == {"alg": "EdDSA", "typ": "at+jwt", "kid": signing_key().key_id}
        assert abs(issued_at - time.time()) < 5
        assert len(token_id) == 32
        assert claims == {
            "iss": "parley",
            "aud": ["auth_service", "messaging_service"],
            "sub": alice.id,
            "user_id": alice.id,
            "username": "alice",
            "name": "Alice A.",
            "sid": str(Session.objects.get().pk),
            "token_type": "access",
            "nbf": issued_at,
            "exp": issued_at + 300,
        }

    def test_is_new_every_time(self, api, alice):
        login = {"username": "alice", "password": "correct horse battery"}
        tokens = [api.post("/api/auth/login/", login).json()["access"] for _ in range(3)]
        assert len({decode(token.split(".")[1])["jti"] for token in tokens}) == 3

    def test_is_accepted_by_the_shared_verifier(self, alice):
        claims = verify(alice.access)
        assert (claims.user_id, claims.username) == (alice.id, "alice")
        assert claims.session_id == str(Session.objects.get().pk)

    def test_of_messaging_alone_is_refused_here(self, api, alice, refusal):
        key = signing_key()
        claims = decode(alice.access.split(".")[1])
        header = {"kid": key.key_id, "typ": "at+jwt"}
        for change in ({"aud": ["messaging_service"]}, {"token_type": "refresh"}, {"iss": "x"}):
            token = jwt.encode(claims | change, key.private, key.algorithm, header)
            refusal(api.get("/api/auth/me/", token=token), 401, "not_authenticated")
        token = jwt.encode(claims, key.private, key.algorithm, header)
        assert api.get("/api/auth/me/", token=token).status_code == 200

    def test_that_is_old_is_told_so(self, api, alice, refusal):
        key = signing_key()
        claims = decode(alice.access.split(".")[1])
        claims |= {name: claims[name] - 400 for name in ("iat", "nbf", "exp")}
        header = {"kid": key.key_id, "typ": "at+jwt"}
        token = jwt.encode(claims, key.private, key.algorithm, header)
        refusal(api.get("/api/auth/me/", token=token), 401, "token_expired")

    @pytest.mark.parametrize("sid", ["", "x", "'", "0" * 200, "urn:uuid:1"])
    def test_of_a_strange_session_is_refused(self, api, alice, refusal, sid):
        key = signing_key()
        claims = decode(alice.access.split(".")[1]) | {"sid": sid}
        header = {"kid": key.key_id, "typ": "at+jwt"}
        token = jwt.encode(claims, key.private, key.algorithm, header)
        answer = api.get("/api/auth/me/", token=token)
        refusal(answer, 401, "session_revoked" if sid else "not_authenticated")
        assert api.post("/api/auth/logout/", token=token).status_code in {204, 401}
        assert Session.objects.get().ended_at is None

    def test_of_another_key_is_refused(self, api, alice, refusal):
        sid = str(Session.objects.get().pk)
        forged = token_for(alice.id, session_id=sid)
        refusal(api.get("/api/auth/me/", token=forged), 401, "not_authenticated")


@pytest.mark.django_db
class TestJwks:
    def test_publishes_the_public_half_alone(self, api):
        """Rule 9."""
        answer = api.get(JWKS)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer["Cache-Control"] == "public, max-age=300"
        [key] = answer.json()["keys"]
        assert set(key) == {"kty", "crv", "x", "use", "alg", "kid"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == (
            *("OKP", "Ed25519"),
            *("sig", "EdDSA"),
        )

    def test_names_the_key_by_its_thumbprint(self, api):
        [key] = api.get(JWKS).json()["keys"]
        text = '{"crv":"Ed25519","kty":"OKP","x":"' + key["x"] + '"}'
        digest = urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip("=")
        assert key["kid"] == digest

    def test_agrees_with_the_example_of_the_rfc(self):
        # RFC 8037, appendix A.3.
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        assert thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    def test_verifies_tokens_as_messaging_reads_it(self, api, alice):
        ring = parse_jwks(api.get(JWKS).content)
        kid = jwt.get_unverified_header(alice.access)["kid"]
        claims = jwt.decode(
            alice.access, ring[kid].value, [ring[kid].algorithm], audience="messaging_service"
        )
        assert claims["user_id"] == alice.id


PROGRAM = """
from uuid import uuid4
from accounts.models import Session, User
from accounts.tokens import access_token
from django.test import RequestFactory
from accounts.http.keys import KeysView
from service_kit.tokens import verify
import jwt
token = access_token(user=User(pk=7, username="u", display_name="n"), session=Session(pk=uuid4()))
published = KeysView.as_view()(RequestFactory().get("/")).render().content.decode()
print(verify(token).user_id, jwt.get_unverified_header(token)["alg"], published)
"""


class TestOtherKeys:
    def test_signs_with_rs256_where_the_key_is_rsa(self, db, tmp_path, run_with):
        """Rule 1."""
        path = tmp_path / "rsa.pem"
        key = generate_private_key(65537, 3072)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        database = connection.settings_dict["NAME"]
        done = run_with({"JWT_PRIVATE_KEY_FILE": str(path), "DB_NAME": database}, PROGRAM)
        assert done.returncode == 0, done.stderr
        user_id, algorithm, published = done.stdout.split(" ", 2)
        [jwk] = json.loads(published)["keys"]
        assert (user_id, algorithm) == ("7", "RS256")
        assert set(jwk) == {"kty", "n", "e", "use", "alg", "kid"}

    def test_publishes_nothing_of_a_shared_secret(self, run_with):
        secret = "s" * 20 + "0123456789" * 2
        done = run_with(
            {"JWT_ALGORITHM": "HS256", "JWT_SECRET": secret, "JWT_PRIVATE_KEY_FILE": ""}, PROGRAM
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == '7 HS256 {"keys":[]}'

    @pytest.mark.parametrize(
        "environment",
        [
            {"JWT_PRIVATE_KEY_FILE": ""},
            {"JWT_PRIVATE_KEY_FILE": "/nowhere/key.pem"},
            {"JWT_PRIVATE_KEY_FILE": __file__},
            {"SECRET_KEY": "change-me"},
            {"SECRET_KEY": ""},
            {"INTERNAL_SECRET": "short"},
            {"JWT_SECRET": "s" * 40},
        ],
    )
    def test_refuses_to_start_without_good_settings(self, run_with, environment):
        done = run_with({"POSTGRES_MANAGED": "true"} | environment, "import config.wsgi")
        assert done.returncode == 1
        assert ImproperlyConfigured.__name__ in done.stderr

    def test_refuses_a_short_rsa_key(self, tmp_path, run_with):
        """Rule 1."""
        path = tmp_path / "rsa.pem"
        key = generate_private_key(65537, 2048)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        vouched = {"POSTGRES_MANAGED": "true", "JWT_PRIVATE_KEY_FILE": str(path)}
        done = run_with(vouched, "import config.wsgi")
        assert done.returncode == 1
        assert "3072" in done.stderr
