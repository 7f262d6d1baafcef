"""What is refused and what is a bug, and that nothing is promised which may not hold."""

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
from rest_framework import exceptions as drf

from service_kit.codes import STATUS, TITLE
from service_kit.refusals import Refusal, as_refusal

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
