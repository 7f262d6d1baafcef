"""Every refusal is one problem+json, and no bug says anything about itself."""

import logging

import orjson
import pytest
from django.core.exceptions import DisallowedHost
from django.test import Client, RequestFactory, override_settings

from service_kit.problems import bad_request, problem
from service_kit.refusals import Refusal


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

    def test_holds_the_members_of_its_own_kind(self):
        refusal = Refusal("mfa_required")
        refusal.members = {"challenge": "c"}
        told = orjson.loads(problem(refusal).content)
        assert (told["code"], told["challenge"]) == ("mfa_required", "c")
        assert "challenge" not in orjson.loads(problem(Refusal("mfa_required")).content)

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
