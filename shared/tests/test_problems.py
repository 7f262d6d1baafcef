"""Every refusal is one problem+json, and no bug says anything about itself."""

import logging

import orjson
import psycopg2
import pytest
import redis.exceptions
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
)
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import Http404
from django.test import Client, RequestFactory, override_settings
from rest_framework import exceptions as drf

from service_kit.codes import STATUS, TITLE
from service_kit.problems import Refusal, as_refusal, bad_request, problem

KNOWN = [
    (drf.ValidationError("no"), "invalid"),
    (drf.NotAuthenticated(), "not_authenticated"),
    (drf.AuthenticationFailed(), "not_authenticated"),
    (drf.PermissionDenied(), "forbidden"),
    (PermissionDenied(), "forbidden"),
    (drf.NotFound(), "not_found"),
    (Http404(), "not_found"),
    (drf.MethodNotAllowed("PUT"), "method_not_allowed"),
    (drf.UnsupportedMediaType("text/xml"), "unsupported_media_type"),
    (drf.ParseError(), "invalid"),
    (drf.Throttled(wait=3), "rate_limited"),
    (RequestDataTooBig(), "too_large"),
    (DisallowedHost(), "invalid"),
    (BadRequest(), "invalid"),
    (OperationalError("away"), "unavailable"),
    (psycopg2.OperationalError("away"), "unavailable"),
    (psycopg2.InterfaceError("closed"), "unavailable"),
    (redis.exceptions.ConnectionError(), "unavailable"),
    (redis.exceptions.TimeoutError(), "unavailable"),
    (redis.exceptions.OutOfMemoryError(), "unavailable"),
]
BUGS = [RuntimeError(), KeyError("x"), IntegrityError("twice"), TimeoutError()]


class TestRefusal:
    @pytest.mark.parametrize("code", STATUS)
    def test_knows_its_status_and_title(self, code):
        refusal = Refusal(code)
        assert (refusal.status, refusal.title) == (STATUS[code], TITLE[code])

    def test_says_when_to_come_back_where_that_helps(self):
        waits = {code for code in STATUS if Refusal(code).retry_after == 1}
        assert waits == {"rate_limited", "slow_mode", "unavailable", "outcome_unknown"}
        assert Refusal("slow_mode", retry_after=30).retry_after == 30

    def test_has_no_codes_of_its_own(self):
        with pytest.raises(KeyError):
            Refusal("nonsense")


class TestAsRefusal:
    @pytest.mark.parametrize(("exception", "code"), KNOWN, ids=lambda each: type(each).__name__)
    def test_knows(self, exception, code):
        assert as_refusal(exception).code == code

    def test_gives_a_refusal_back(self):
        refusal = Refusal("muted")
        assert as_refusal(refusal) is refusal

    @pytest.mark.parametrize("exception", BUGS, ids=lambda each: type(each).__name__)
    def test_calls_everything_else_a_bug(self, exception):
        assert as_refusal(exception) is None

    def test_rounds_a_wait_up(self):
        assert as_refusal(drf.Throttled(wait=2.1)).retry_after == 3
        assert as_refusal(drf.Throttled(wait=0)).retry_after == 1

    def test_flattens_the_errors_of_fields(self):
        refusal = as_refusal(
            drf.ValidationError(
                {
                    "name": ["Too long.", "Too odd."],
                    "inner": {"amount": ["Too small."], "non_field_errors": ["Bad pair."]},
                    "many": [{}, {"amount": ["Too small."]}],
                    "words": {0: ["Too long."]},
                    "non_field_errors": [drf.ErrorDetail("Never.", code="never")],
                }
            )
        )
        found = [(each["field"], each["code"], each["detail"]) for each in refusal.errors]
        assert found == [
            ("name", "invalid", "Too long."),
            ("name", "invalid", "Too odd."),
            ("inner.amount", "invalid", "Too small."),
            ("inner", "invalid", "Bad pair."),
            ("many.1.amount", "invalid", "Too small."),
            ("words.0", "invalid", "Too long."),
            ("", "never", "Never."),
        ]

    def test_says_the_only_error_in_the_detail_too(self):
        assert as_refusal(drf.ValidationError({"a": "Too long."})).detail == "Too long."

    def test_survives_an_empty_validation_error(self):
        assert as_refusal(drf.ValidationError([])).code == "invalid"


class TestCommit:
    """A store that leaves during COMMIT may have kept the write: nobody may say it did not."""

    @pytest.fixture(autouse=True)
    def _away(self, django_db_blocker):
        with django_db_blocker.unblock():
            yield
            connection.close()

    def leave(self):
        """End our own server process, as a crash would, from a second connection."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
        other.close()

    def test_lost_is_an_unknown_outcome(self):
        with pytest.raises(OperationalError) as raised, transaction.atomic():
            self.leave()
        assert as_refusal(raised.value).code == "outcome_unknown"

    def test_not_reached_is_certainly_not_done(self):
        def leave_and_ask():
            self.leave()
            connection.cursor().execute("SELECT 1")

        with pytest.raises(OperationalError) as raised, transaction.atomic():
            leave_and_ask()
        assert as_refusal(raised.value).code == "unavailable"


class TestProblem:
    def test_is_rfc_9457(self):
        errors = [{"field": "a.b", "code": "blank", "detail": "May not be blank."}]
        response = problem(Refusal("invalid", "No.", errors=errors))
        assert response["Content-Type"] == "application/problem+json"
        assert orjson.loads(response.content) == {
            "type": "urn:parley:problem:invalid",
            "title": "Invalid request",
            "status": 400,
            "detail": "No.",
            "code": "invalid",
            "errors": errors,
        }

    def test_asks_for_credentials_on_401_only(self):
        assert problem(Refusal("token_expired"))["WWW-Authenticate"] == "Bearer"
        assert "WWW-Authenticate" not in problem(Refusal("forbidden"))

    def test_says_when_to_come_back(self):
        assert problem(Refusal("rate_limited", retry_after=7))["Retry-After"] == "7"
        assert problem(Refusal("unavailable"))["Retry-After"] == "1"
        assert "Retry-After" not in problem(Refusal("conflict"))


class TestExceptionHandler:
    def get(self, path):
        return Client(raise_request_exception=False).get(path)

    @pytest.mark.parametrize(
        ("what", "status", "code"),
        [
            ("forbidden", 403, "forbidden"),
            ("missing", 404, "not_found"),
            ("slow", 429, "rate_limited"),
            ("away", 503, "unavailable"),
            ("redis", 503, "unavailable"),
            ("refused", 409, "client_id_reused"),
        ],
    )
    def test_answers(self, what, status, code):
        answer = self.get(f"/raise/{what}/")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"
        assert "secret" not in answer.text

    def test_says_what_is_allowed(self):
        answer = self.get("/echo/")
        assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")

    def test_tells_a_serializer_s_errors(self):
        body = {"name": "long name", "inner": {"amount": 0}, "many": [{}], "words": ["abc"]}
        answer = Client().post("/fill/", body, content_type="application/json").json()
        fields = {each["field"]: each["code"] for each in answer["errors"]}
        assert fields == {
            "name": "max_length",
            "inner.amount": "min_value",
            "many.0.amount": "required",
            "words.0": "max_length",
        }

    def test_tells_an_error_of_the_whole_under_no_field(self):
        body = {"name": "ok", "inner": {"amount": 1}, "many": [], "words": []}
        answer = Client().post("/fill/", body, content_type="application/json").json()
        assert answer["errors"] == [{"field": "", "code": "never", "detail": "Never."}]

    def test_says_nothing_about_a_bug_but_logs_it(self, lines):
        answer = self.get("/raise/bug/")
        body = answer.json()
        assert (answer.status_code, body["title"]) == (500, "Internal Server Error")
        assert body["code"] == "outcome_unknown"
        assert "secret" not in answer.text
        (logged,) = [line for line in lines() if "exception" in line]
        assert "the secret of the bug" in logged["exception"]
        assert logged["request_id"] == answer["X-Request-ID"]

    def test_lets_a_bug_surface_in_other_tests(self):
        with pytest.raises(RuntimeError):
            Client().get("/raise/bug/")

    @override_settings(DEBUG=True)
    def test_says_nothing_about_a_bug_in_debug_either(self):
        assert self.get("/raise/bug/")["Content-Type"] == "application/problem+json"


class TestDjangosOwnHandlers:
    def get(self, path, **headers):
        return Client(raise_request_exception=False).get(path, headers=headers)

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/nowhere/", 404, "not_found"),
            ("/plain/missing/", 404, "not_found"),
            ("/plain/bug/", 500, "outcome_unknown"),
            ("/plain/away/", 503, "unavailable"),
        ],
    )
    def test_answer_in_json(self, path, status, code):
        answer = self.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "secret" not in answer.text
        assert "nowhere" not in answer.text

    def test_refuse_a_foreign_host(self):
        answer = bad_request(RequestFactory().get("/"), DisallowedHost("evil.example"))
        assert answer.status_code == 400
        assert b"evil" not in answer.content

    def test_log_a_store_that_is_away_with_its_request_id(self, lines):
        answer = self.get("/raise/away/")
        (logged,) = [line for line in lines() if line["level"] == "ERROR"]
        assert logged["message"] == "Service Unavailable: /raise/away/"
        assert logged["request_id"] == answer["X-Request-ID"]

    def test_log_a_bug_once_with_its_request_id(self, lines):
        answer = self.get("/plain/bug/")
        (logged,) = [line for line in lines() if line["level"] == "ERROR"]
        assert logged["request_id"] == answer["X-Request-ID"]
        assert logging.getLogger("django").handlers == []
