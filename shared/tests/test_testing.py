"""The tokens other suites test with are as genuine as those of a running system."""

import time

import jwt
import pytest
from django.test import override_settings

from service_kit.keys import key_ring
from service_kit.refusals import Refusal
from service_kit.testing import install_test_keys, public_key_pem, sign, token_for
from service_kit.tokens import verify

CONTRACT = {"iss", "aud", "sub", "user_id", "username", "name", "sid", "jti", "token_type"}
CONTRACT |= {"iat", "nbf", "exp"}


class TestTokenFor:
    def test_is_shaped_as_the_contract_says(self):
        token = token_for(7)
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
        assert header["kid"]
        assert set(claims) == CONTRACT
        assert claims["aud"] == ["auth_service", "messaging_service"]
        assert claims["sub"] == claims["user_id"] == "7"

    def test_speaks_for_whom_it_is_told(self):
        claims = verify(token_for("u-1", username="bob", name="Bob", session_id="s", jti="j"))
        assert (claims.user_id, claims.username, claims.name) == ("u-1", "bob", "Bob")
        assert (claims.session_id, claims.token_id) == ("s", "j")

    def test_is_another_one_each_time(self):
        assert verify(token_for(7)).token_id != verify(token_for(7)).token_id

    def test_lives_as_long_as_it_is_told(self):
        assert 58 <= verify(token_for(7, expires_in=60)).expires_at - time.time() <= 60
        with pytest.raises(Refusal) as refused:
            verify(token_for(7, expires_in=-60))
        assert refused.value.code == "token_expired"

    def test_leaves_out_what_is_none(self):
        with pytest.raises(Refusal):
            verify(token_for(7, sid=None))


class TestInstallTestKeys:
    def test_is_what_makes_the_tokens_good(self):
        token = token_for(7)
        key_ring().hold({})
        with pytest.raises(Refusal):
            verify(token)
        install_test_keys()
        assert verify(token).user_id == "7"


class TestPublicKeyPem:
    def test_makes_the_tokens_good_in_another_process(self):
        with override_settings(JWT_PUBLIC_KEY=public_key_pem()):
            key_ring.cache_clear()
            assert verify(token_for(7)).user_id == "7"


class TestSign:
    def test_signs_anything(self):
        token = sign({"a": 1}, headers={"kid": "other", "typ": "x"})
        assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": "other", "typ": "x"}
