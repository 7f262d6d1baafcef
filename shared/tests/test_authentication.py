"""One good token in one Authorization header, or 401."""

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from service_kit.authentication import Caller
from service_kit.testing import token_for
from service_kit.tokens import verify


def get(header=None, path="/whoami/"):
    return Client().get(path, headers={} if header is None else {"Authorization": header})


class TestBearerAuthentication:
    def test_says_who_is_calling(self):
        answer = get(f"Bearer {token_for(7, session_id='s7')}")
        assert (answer.status_code, answer.json()) == (200, {"id": "7", "session": "s7"})

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
    def test_takes_the_scheme_in_any_case(self, scheme):
        assert get(f"{scheme} {token_for(7)}").status_code == 200

    def test_asks_for_credentials_where_there_are_none(self):
        answer = get()
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_says_that_a_token_has_expired(self):
        answer = get(f"Bearer {token_for(7, expires_in=-60)}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
        assert answer["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic {token}",
            "Token {token}",
            "{token}",
            "Bearer {token} {token}",
            "Bearer {token}, Bearer {token}",
            "Bearer {token},Bearer {token}",
            "Bearer\t{token}",
            "Bearer {token}==",
        ],
    )
    def test_refuses(self, header):
        answer = get(header.format(token=token_for(7)))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_refuses_a_bad_token_on_open_views_too(self):
        headers = {"Authorization": "Bearer x"}
        answer = Client().post("/echo/", {}, content_type="application/json", headers=headers)
        assert answer.status_code == 401

    def test_takes_no_token_from_the_query(self):
        assert get(path=f"/whoami/?token={token_for(7)}").status_code == 401


class TestCaller:
    def test_looks_like_a_user_to_drf(self):
        caller = Caller(verify(token_for(7)))
        assert (caller.id, caller.pk, caller.is_authenticated) == ("7", "7", True)
        assert caller == Caller(caller.claims)


class TestBearerScheme:
    def test_stands_in_the_openapi_document(self):
        schema = SchemaGenerator().get_schema(request=None, public=True)
        assert schema["components"]["securitySchemes"] == {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        assert schema["paths"]["/whoami/"]["get"]["security"] == [{"bearer": []}]
