"""Pages of ours may ask with cookies, others not at all, and who is no page is let through."""

import pytest
from django.test import Client

from service_kit.testing import token_for
from shared.tests.conftest import OUR_PAGE

ALLOW = "Access-Control-Allow-Origin"


def ask(origin=None, method="GET", path="/hello/", **headers):
    given = headers if origin is None else {"Origin": origin} | headers
    return Client().generic(method, path, headers=given)


class TestAPageOfOurs:
    def test_may_ask_with_cookies(self):
        answer = ask(OUR_PAGE)
        assert answer.status_code == 200
        assert answer[ALLOW] == OUR_PAGE
        assert answer["Access-Control-Allow-Credentials"] == "true"
        assert answer["Vary"] == "Origin"

    def test_may_read_refusals_too(self):
        answer = ask(OUR_PAGE, path="/whoami/")
        assert (answer.status_code, answer[ALLOW]) == (401, OUR_PAGE)

    def test_is_told_before_what_it_may_send(self):
        asked = {"Access-Control-Request-Method": "PATCH"}
        answer = ask(OUR_PAGE, "OPTIONS", "/whoami/", **asked)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "PATCH" in answer["Access-Control-Allow-Methods"]
        assert "X-CSRFToken" in answer["Access-Control-Allow-Headers"]
        assert answer[ALLOW] == OUR_PAGE


class TestAForeignPage:
    @pytest.mark.parametrize(
        "origin",
        [
            "",
            "null",
            "*",
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://app.example.org.evil.org",
            "https://app.example.org, https://evil.example.org",
            "https://evil.example.org",
            "https://[::1",
            "http://testserver",
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
    def test_is_refused(self, lines, origin, method):
        token = f"Bearer {token_for(7)}"
        answer = ask(origin, method, "/echo/", Authorization=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert ALLOW not in answer
        assert answer["Vary"] == "Origin"
        denied = [line for line in lines() if line["logger"] == "service_kit.security"]
        assert [(line["event"], line["reason"]) for line in denied] == [("origin.denied", origin)]


class TestWhoIsNoPage:
    def test_is_let_through(self):
        answer = ask()
        assert answer.status_code == 200
        assert ALLOW not in answer
        assert answer["Vary"] == "Origin"
