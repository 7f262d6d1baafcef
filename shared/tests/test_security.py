"""One line for each event, with who, where and why, and no secret."""

import pytest
from django.test import Client

from service_kit.security import tell_security
from service_kit.testing import token_for


def told(lines):
    return [line for line in lines() if line["logger"] == "service_kit.security"]


def ask(path, **headers):
    return Client(REMOTE_ADDR="10.0.0.9").get(path, headers=headers)


class TestTellSecurity:
    def test_says_who_where_and_why(self, lines):
        who = {"user_id": 7, "session_id": "s7", "address": "192.0.2.1"}
        tell_security("login.failed", **who, reason="password")
        (line,) = told(lines)
        expected = {"user_id": "7", "sid": "s7", "address": "192.0.2.1", "reason": "password"}
        assert line | expected == line
        assert (line["event"], line["level"]) == ("login.failed", "INFO")

    def test_keeps_secrets_out(self, lines):
        token = token_for(7)
        tell_security("login.failed", reason=f"shown {token}")
        assert token not in str(told(lines))


class TestARefusedRequest:
    @pytest.mark.parametrize(
        ("path", "event", "reason"),
        [
            ("/whoami/", "credential.refused", "not_authenticated"),
            ("/raise/forbidden/", "access.denied", "forbidden"),
            ("/raise/slow/", "request.limited", "rate_limited"),
        ],
    )
    def test_is_told_once(self, lines, path, event, reason):
        ask(path, **{"X-Request-ID": "a-request"})
        (line,) = told(lines)
        assert (line["event"], line["reason"]) == (event, reason)
        assert (line["address"], line["request_id"]) == ("10.0.0.9", "a-request")

    def test_names_the_caller(self, lines):
        ask("/raise/forbidden/", Authorization=f"Bearer {token_for(7, session_id='s7')}")
        (line,) = told(lines)
        assert (line["user_id"], line["sid"]) == ("7", "s7")

    def test_is_told_of_what_is_not_the_caller_s(self, lines):
        ask("/raise/missing/", Authorization=f"Bearer {token_for(7)}")
        (line,) = told(lines)
        assert (line["event"], line["reason"]) == ("access.denied", "not_found")

    @pytest.mark.parametrize("path", ["/raise/missing/", "/raise/refused/", "/hello/"])
    def test_is_not_told_of_where_nobody_was_kept_out(self, lines, path):
        ask(path)
        assert told(lines) == []

    def test_is_told_of_however_little_is_logged(self):
        from service_kit.logs import logging_settings

        loggers = logging_settings("kit", "ERROR")["loggers"]
        assert loggers["service_kit.security"]["level"] == "INFO"
