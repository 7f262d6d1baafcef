"""One good token in one Authorization header, or in a browser's cookie, or 401."""

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from service_kit.authentication import Caller
from service_kit.testing import token_for
from service_kit.tokens import verify


def get(header=None, path="/whoami/"):
    return Client().get(path, headers={} if header is None else {"Authorization": header})


class TestTheHeader:
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


def ask(method="GET", path="/whoami/", *, cookies, **headers):
    client = Client()
    client.cookies.load(cookies)
    return client.generic(method, path, b"{}", "application/json", headers=headers)


class TestTheCookie:
    def test_says_who_is_calling(self):
        answer = ask(cookies={"access_token": token_for(7, session_id="s7")})
        assert (answer.status_code, answer.json()) == (200, {"id": "7", "session": "s7"})

    def test_is_beaten_by_the_header(self):
        cookies = {"access_token": token_for(7)}
        answer = ask(cookies=cookies, Authorization=f"Bearer {token_for(8)}")
        assert answer.json()["id"] == "8"
        assert ask(cookies=cookies, Authorization="Bearer x").status_code == 401

    @pytest.mark.parametrize(
        ("token", "code"),
        [
            ("x", "not_authenticated"),
            (token_for(7, token_type="refresh"), "not_authenticated"),
            (token_for(7, expires_in=-60), "token_expired"),
        ],
    )
    def test_holds_a_good_token_or_is_refused(self, token, code):
        answer = ask(cookies={"access_token": token})
        assert (answer.status_code, answer.json()["code"]) == (401, code)

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize(
        ("cookie", "header"),
        [
            ({"csrftoken": "a"}, {}),
            ({"csrftoken": "a"}, {"X-CSRFToken": "b"}),
            ({"csrftoken": "a"}, {"X-CSRFToken": ""}),
            ({"csrftoken": ""}, {"X-CSRFToken": ""}),
            ({}, {"X-CSRFToken": "a"}),
            ({}, {}),
        ],
    )
    def test_changes_nothing_without_the_csrf_token(self, method, cookie, header):
        cookies = {"access_token": token_for(7)} | cookie
        answer = ask(method, "/echo/", cookies=cookies, **header)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_changes_things_with_it(self):
        cookies = {"access_token": token_for(7), "csrftoken": "a"}
        assert ask("POST", "/echo/", cookies=cookies, **{"X-CSRFToken": "a"}).status_code == 200

    def test_needs_it_with_no_header_credential(self):
        cookies = {"access_token": token_for(7)}
        bearer = f"Bearer {token_for(7)}"
        assert ask("POST", "/echo/", cookies=cookies, Authorization=bearer).status_code == 200


class TestCaller:
    def test_looks_like_a_user_to_drf(self):
        caller = Caller(verify(token_for(7)))
        assert (caller.id, caller.pk, caller.is_authenticated) == ("7", "7", True)
        assert caller == Caller(caller.claims)


class TestAccessTokenScheme:
    def test_stands_in_the_openapi_document(self):
        schema = SchemaGenerator().get_schema(request=None, public=True)
        schemes = schema["components"]["securitySchemes"]
        assert schemes["bearer"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        assert (schemes["cookie"]["in"], schemes["cookie"]["name"]) == ("cookie", "access_token")
        guards = schema["paths"]["/whoami/"]["get"]["security"]
        assert guards == [{"bearer": []}, {"cookie": []}]
