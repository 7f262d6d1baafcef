"""Only sound signing keys are taken from what is published, whoever publishes it."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from service_kit.jwks import MAX_KEYS, parse_jwks
from service_kit.refusals import Refusal
from shared.tests.key_server import jwk, key_set

LISTED = {"use": "sig", "kid": "x"}
ED448 = OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True)
P256 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
P521 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP521R1()).public_key(), as_dict=True)
SECRET = {"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).decode()}


def rsa_jwk(bits):
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)


class TestParseJwks:
    def test_takes_every_sound_key(self):
        keys = parse_jwks(
            key_set(
                jwk("ed"),
                rsa_jwk(2048) | {"kid": "rsa", "use": "sig", "alg": "RS256"},
                P256 | {"kid": "ec", "use": "sig"},
            )
        )
        assert {kid: key.algorithm for kid, key in keys.items()} == {
            "ed": "EdDSA",
            "rsa": "RS256",
            "ec": "ES256",
        }

    @pytest.mark.parametrize(
        "bad",
        [
            jwk("x", use="enc"),
            jwk("x", use=None),
            jwk(None),
            jwk(""),
            jwk(1),
            jwk("x", alg="none"),
            jwk("x", alg="HS256"),
            jwk("x", alg="RS256"),
            jwk("x", alg=1),
            jwk("x", x="AAAA"),
            jwk("x", x=1),
            jwk("x", crv="P-256"),
            jwk("x", kty="oct"),
            ED448 | LISTED | {"alg": "EdDSA"},
            P521 | LISTED | {"alg": "ES256"},
            rsa_jwk(1024) | LISTED | {"alg": "RS256"},
            SECRET | LISTED | {"alg": "HS256"},
            {},
            [],
            None,
            "key",
        ],
        ids=str,
    )
    def test_leaves_out(self, bad):
        assert list(parse_jwks(key_set(bad, jwk("good")))) == ["good"]
        with pytest.raises(ValueError, match="usable"):
            parse_jwks(key_set(bad))

    def test_never_holds_a_private_key(self):
        published = jwk("x", d="A" * 43)
        assert not hasattr(parse_jwks(key_set(published))["x"].value, "sign")

    @pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"keys":{}}', b"{}", b"\x80"])
    def test_refuses_what_is_no_key_set(self, data):
        with pytest.raises((ValueError, Refusal)):
            parse_jwks(data)

    def test_refuses_a_crowd(self):
        several = [jwk(str(number)) for number in range(MAX_KEYS + 1)]
        assert len(parse_jwks(key_set(*several[1:]))) == MAX_KEYS
        with pytest.raises(ValueError, match="key set"):
            parse_jwks(key_set(*several))
