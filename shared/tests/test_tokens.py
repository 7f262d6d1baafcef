"""Rules 11 to 17 for access tokens: only an untouched token of ours, for us, in time, is accepted.

11 bounded and three segments | 13 kid is only a key of a dict | 14 the key binds the algorithm
15 every claim, of its type | 16 any failure is one and the same refusal | 17 unknown kid: refused
"""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from service_kit import tokens
from service_kit.jwks import Key
from service_kit.keys import key_ring
from service_kit.refusals import Refusal
from service_kit.testing import KID, install_test_keys, public_key_pem, sign, token_for
from service_kit.testing.tokens import _key
from service_kit.tokens import LEEWAY_SECONDS, MAX_BYTES, Claims, verify

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
SECRET = "a shared secret of forty characters, 1234"


def refuses(token):
    with pytest.raises(Refusal) as refused:
        verify(token)
    assert refused.value.detail == "The token is not valid."
    return refused.value.code == "not_authenticated"


def claims(**changes):
    everything = jwt.decode(token_for(1), options={"verify_signature": False})
    return everything | changes


def encoded(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, payload):
    """Sign whatever bytes there are, also those no library would."""
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(_key().sign(text.encode()))}"


HEADER = {"alg": "EdDSA", "kid": KID, "typ": "at+jwt"}


class TestVerify:
    def test_gives_the_claims(self):
        token = token_for(7, username="bob", name="Bob B.", session_id="s1", jti="t1")
        told = jwt.decode(token, options={"verify_signature": False})
        expected = Claims("7", "bob", "Bob B.", "s1", "t1", told["exp"], told["iat"])
        assert verify(token) == expected

    def test_accepts_an_empty_name_and_foreign_letters(self):
        assert verify(sign(claims(name="", username="Ζωή"))).username == "Ζωή"

    @given(st.text(max_size=300) | st.binary(max_size=100) | st.none() | st.integers())
    def test_rule_16_refuses_any_rubbish_alike(self, token):
        assert refuses(token)

    @given(st.data())
    def test_rule_16_refuses_any_changed_character(self, data):
        token = token_for(1, jti="fixed")
        place = data.draw(st.integers(0, len(token) - 1))
        other = data.draw(st.characters(codec="ascii").filter(lambda each: each != token[place]))
        assert refuses(token[:place] + other + token[place + 1 :])


class TestRule11:
    """Length, alphabet and segments, before anything is decoded."""

    def test_accepts_the_longest_and_no_longer(self):
        short = len(signed(HEADER, claims(more="")))
        room = (MAX_BYTES - short) // 4 * 3
        longest = signed(HEADER, claims(more="m" * room))
        assert MAX_BYTES - 4 < len(longest) <= MAX_BYTES
        assert verify(longest)
        assert refuses(signed(HEADER, claims(more="m" * (room + 8))))

    @pytest.mark.parametrize("suffix", ["=", "==", ".", ".x", " ", "\n", "\0", "é", "A"])
    def test_refuses_anything_appended(self, suffix):
        assert refuses(token_for(1) + suffix)

    @pytest.mark.parametrize("prefix", [" ", ".", "Bearer ", "\ufeff"])
    def test_refuses_anything_prepended(self, prefix):
        assert refuses(prefix + token_for(1))

    @pytest.mark.parametrize("segment", [0, 1, 2])
    def test_refuses_padding_in_any_segment(self, segment):
        parts = token_for(1).split(".")
        parts[segment] += "=" * (-len(parts[segment]) % 4 or 4)
        assert refuses(".".join(parts))

    def test_refuses_another_spelling_of_the_same_bytes(self):
        token = token_for(1)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        # 64 bytes of signature end in four bits that mean nothing.
        other = alphabet[alphabet.index(token[-1]) ^ 1]
        assert refuses(token[:-1] + other)

    def test_refuses_segments_left_out(self):
        header, payload, signature = token_for(1).split(".")
        for token in ("", "..", f"{header}.{payload}", f"{header}.{payload}.", f".{payload}."):
            assert refuses(token)
        assert refuses(f"{header}..{signature}")


class TestRule13:
    """kid is looked up among loaded keys; where a key could come from is never read."""

    @pytest.mark.parametrize(
        "kid",
        [
            "",
            "../../dev/null",
            "' OR 1=1",
            "x" * 3000,
            "http://evil.example/k",
            "other",
            None,
            1,
            True,
            ["test"],
            {"a": 1},
        ],
    )
    def test_refuses_a_kid_that_is_no_loaded_one(self, kid):
        assert refuses(signed(HEADER | {"kid": kid}, claims()))

    def test_refuses_no_kid(self):
        assert refuses(signed({"alg": "EdDSA", "typ": "at+jwt"}, claims()))

    def test_ignores_keys_the_token_brings(self):
        mine = ed25519.Ed25519PrivateKey.generate()
        jwk = jwt.algorithms.OKPAlgorithm.to_jwk(mine.public_key(), as_dict=True)
        brought = {"jwk": jwk, "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}
        assert refuses(sign(claims(), headers=brought, key=mine))
        assert verify(sign(claims(), headers=brought))


class TestRule14:
    """The key decides about the algorithm."""

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, "HS256", "RS256", 1])
    def test_refuses_another_algorithm_in_the_header(self, alg):
        assert refuses(signed(HEADER | {"alg": alg}, claims()))

    @pytest.mark.parametrize("alg", ["none", "EdDSA"])
    def test_refuses_an_empty_signature(self, alg):
        assert refuses(f"{encoded(HEADER | {'alg': alg})}.{encoded(claims())}.")

    def test_refuses_a_public_key_used_as_a_secret(self):
        public = _key().public_key()
        for secret in (
            public_key_pem().encode(),
            public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        ):
            text = f"{encoded(HEADER | {'alg': 'HS256'})}.{encoded(claims())}"
            mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
            assert refuses(f"{text}.{encoded(mac.sign(text.encode(), secret))}")

    def test_refuses_the_same_key_under_another_algorithm(self):
        key_ring().hold({KID: Key("RS256", RSA.public_key())})
        assert verify(sign(claims(), key=RSA, algorithm="RS256"))
        assert refuses(sign(claims(), key=RSA, algorithm="PS256"))
        assert refuses(sign(claims(), key=RSA, algorithm="RS512"))

    def test_knows_elliptic_curves(self):
        key_ring().hold({KID: Key("ES256", P256.public_key())})
        assert verify(sign(claims(), key=P256, algorithm="ES256"))
        assert refuses(token_for(1))

    def test_refuses_another_key(self):
        assert refuses(sign(claims(), key=ed25519.Ed25519PrivateKey.generate()))

    @pytest.mark.parametrize("crit", [[], ["exp"], ["b64"], None, "x"])
    def test_refuses_crit(self, crit):
        assert refuses(signed(HEADER | {"crit": crit}, claims()))


class TestRule15:
    """Every claim is there, of its type, and about us."""

    @pytest.mark.parametrize(
        "claim",
        [
            "iss",
            "aud",
            "sub",
            "user_id",
            "username",
            "name",
            "sid",
            "jti",
            "token_type",
            "iat",
            "exp",
        ],
    )
    def test_refuses_a_missing_claim(self, claim):
        rest = claims()
        del rest[claim]
        assert refuses(sign(rest))

    @pytest.mark.parametrize("claim", ["sub", "user_id", "username", "name", "sid", "jti"])
    @pytest.mark.parametrize("value", [None, 1, True, 1.5, ["1"], {"a": "1"}, "x" * 256])
    def test_refuses_text_that_is_none(self, claim, value):
        assert refuses(signed(HEADER, claims(**{claim: value})))

    @pytest.mark.parametrize("claim", ["sub", "user_id", "username", "sid", "jti"])
    def test_refuses_empty_text(self, claim):
        both = {"sub": "", "user_id": ""} if claim in {"sub", "user_id"} else {claim: ""}
        assert refuses(signed(HEADER, claims(**both)))

    def test_refuses_a_nul(self):
        assert refuses(signed(HEADER, claims(username="a\0b")))

    def test_refuses_two_opinions_on_who_it_is(self):
        assert refuses(signed(HEADER, claims(sub="1", user_id="2")))

    @pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
    @pytest.mark.parametrize(
        "value", [True, False, None, "9999999999", "x", [], {}, 0, -1, 10**12, 10**20, 1e300]
    )
    def test_refuses_a_time_that_is_none(self, claim, value):
        assert refuses(signed(HEADER, claims(**{claim: value})))

    @pytest.mark.parametrize("exp", [b"NaN", b"Infinity", b"1e400", b"9" * 400])
    def test_refuses_a_time_beyond_numbers(self, exp):
        payload = json.dumps(claims(exp=123456789)).encode().replace(b"123456789", exp)
        assert refuses(signed(HEADER, payload))

    def test_accepts_fractions_of_a_second(self):
        now = time.time()
        assert verify(sign(claims(iat=now, nbf=now, exp=now + 9.5))).expires_at == int(now + 9.5)

    @pytest.mark.parametrize(
        "aud",
        [
            "auth_service",
            ["auth_service"],
            [],
            "",
            None,
            1,
            {"messaging_service": 1},
            ["messaging_service", 1],
            "messaging_service2",
            ["Messaging_Service"],
        ],
    )
    def test_refuses_a_token_for_others(self, aud):
        assert refuses(signed(HEADER, claims(aud=aud)))

    def test_accepts_its_own_name_alone(self):
        assert verify(token_for(1, audience="messaging_service"))

    @pytest.mark.parametrize("iss", ["parle", "parley2", "", None, ["parley"], 1])
    def test_refuses_another_issuer(self, iss):
        assert refuses(signed(HEADER, claims(iss=iss)))

    @pytest.mark.parametrize("typ", ["rt+jwt", "JWT", "", None, 1, ["at+jwt"]])
    def test_refuses_another_typ(self, typ):
        assert refuses(signed(HEADER | {"typ": typ}, claims()))

    def test_refuses_no_typ(self):
        assert refuses(signed({"alg": "EdDSA", "kid": KID}, claims()))

    @pytest.mark.parametrize("kind", ["refresh", "ticket", "", None, ["access"], 1])
    def test_refuses_another_token_type(self, kind):
        assert refuses(signed(HEADER, claims(token_type=kind)))

    @pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b"", b"{", b'{"a":' * 40])
    def test_refuses_a_payload_that_is_no_object(self, payload):
        assert refuses(signed(HEADER, payload))

    @pytest.mark.parametrize("header", [b"[]", b"null", b"", b'{"alg":"EdDSA"'])
    def test_refuses_a_header_that_is_no_object(self, header):
        assert refuses(signed(header, claims()))

    @pytest.mark.parametrize("name", ["JWT_AUDIENCE", "JWT_ISSUER"])
    def test_refuses_everything_where_a_setting_is_empty(self, name):
        with override_settings(**{name: ""}):
            ours = {"JWT_AUDIENCE": {"aud": [""]}, "JWT_ISSUER": {"iss": ""}}[name]
            assert refuses(signed(HEADER, claims(**ours)))


class TestClock:
    """Thirty seconds either way are tolerated (rule 15), and expiry is the last thing looked at."""

    def at(self, **offsets):
        now = int(time.time())
        return claims(**{name: now + offset for name, offset in offsets.items()})

    @pytest.mark.parametrize("offset", [-120, -LEEWAY_SECONDS - 1])
    def test_says_that_a_genuine_token_has_expired(self, offset):
        with pytest.raises(Refusal) as refused:
            verify(sign(self.at(iat=-400, nbf=-400, exp=offset)))
        assert refused.value.code == "token_expired"

    def test_tolerates_a_clock_a_little_off(self):
        assert verify(sign(self.at(iat=-400, nbf=-400, exp=-LEEWAY_SECONDS + 5)))
        assert verify(sign(self.at(iat=LEEWAY_SECONDS - 5, nbf=LEEWAY_SECONDS - 5)))

    @pytest.mark.parametrize("claim", ["iat", "nbf"])
    @pytest.mark.parametrize("offset", [LEEWAY_SECONDS + 5, 120])
    def test_refuses_a_token_of_the_future(self, claim, offset):
        assert refuses(sign(self.at(**{claim: offset}, exp=600)))

    def test_refuses_an_end_before_the_beginning(self):
        assert refuses(sign(self.at(iat=0, exp=-10)))

    @pytest.mark.parametrize(
        "change",
        [{"aud": "x"}, {"iss": "x"}, {"sub": "2"}, {"token_type": "refresh"}, {"username": 1}],
    )
    def test_says_expired_of_no_other_token(self, change):
        assert refuses(sign(self.at(iat=-400, nbf=-400, exp=-120) | change))

    def test_says_expired_of_no_forged_token(self):
        mine = ed25519.Ed25519PrivateKey.generate()
        assert refuses(sign(self.at(iat=-400, nbf=-400, exp=-120), key=mine))


class TestARememberedSignature:
    """A token shown again costs less; nothing else changes."""

    def test_is_checked_once(self, monkeypatch):
        token = token_for(1)
        verify(token)
        monkeypatch.setattr(tokens, "_ALGORITHMS", {})
        assert verify(token).user_id == "1"

    def test_does_not_outlive_its_key(self):
        token = token_for(1)
        verify(token)
        key_ring().hold({KID: Key("EdDSA", ed25519.Ed25519PrivateKey.generate().public_key())})
        try:
            assert refuses(token)
        finally:
            install_test_keys()

    def test_does_not_outlive_its_token(self, monkeypatch):
        token = token_for(1, expires_in=60)
        verify(token)
        late = time.time() + 60 + LEEWAY_SECONDS + 1
        monkeypatch.setattr(tokens.time, "time", lambda: late)
        with pytest.raises(Refusal) as refused:
            verify(token)
        assert refused.value.code == "token_expired"

    def test_is_not_good_for_another_audience(self):
        token = token_for(1)
        verify(token)
        with override_settings(JWT_AUDIENCE="somebody_else"):
            assert refuses(token)

    def test_is_not_remembered_of_a_forgery(self):
        forged = token_for(1)[:-4] + "AAAA"
        assert refuses(forged)
        assert refuses(forged)


class TestFixedKey:
    """A ring of one key (JWT_PUBLIC_KEY or JWT_SECRET) takes what foreign issuers make."""

    @pytest.fixture
    def public_key(self):
        with override_settings(JWT_PUBLIC_KEY=public_key_pem()):
            key_ring.cache_clear()
            yield

    @pytest.fixture
    def secret(self):
        with override_settings(JWT_SECRET=SECRET, JWT_ALGORITHM="HS256"):
            key_ring.cache_clear()
            yield

    @pytest.mark.usefixtures("public_key")
    @pytest.mark.parametrize("kid", [{}, {"kid": "their-own"}])
    @pytest.mark.parametrize("typ", [{}, {"typ": "JWT"}, {"typ": "at+jwt"}])
    def test_needs_no_kid_and_no_typ(self, kid, typ):
        assert verify(signed({"alg": "EdDSA"} | kid | typ, claims())).user_id == "1"

    @pytest.mark.usefixtures("public_key")
    def test_still_checks_everything_else(self):
        assert refuses(signed({"alg": "EdDSA", "typ": "rt+jwt"}, claims()))
        assert refuses(signed({"alg": "EdDSA"}, claims(token_type="refresh")))
        assert refuses(signed({"alg": "EdDSA", "kid": 1}, claims()))
        assert refuses(sign(claims(), key=ed25519.Ed25519PrivateKey.generate()))

    @pytest.mark.usefixtures("public_key")
    def test_never_takes_a_public_key_for_a_secret(self):
        text = f"{encoded({'alg': 'HS256'})}.{encoded(claims())}"
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        assert refuses(f"{text}.{encoded(mac.sign(text.encode(), public_key_pem().encode()))}")

    @pytest.mark.usefixtures("secret")
    def test_may_be_a_shared_secret(self):
        assert verify(jwt.encode(claims(), SECRET, "HS256")).user_id == "1"
        assert refuses(jwt.encode(claims(), SECRET + "!", "HS256"))
        assert refuses(jwt.encode(claims(), SECRET * 2, "HS512"))
        assert refuses(token_for(1))
