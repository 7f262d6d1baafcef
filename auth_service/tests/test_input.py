"""What no door may stumble over, through every operation that reads a body."""

import json

import pytest

from accounts.models import Session, User

DOORS = [
    ("POST", "/api/auth/register/"),
    ("POST", "/api/auth/login/"),
    ("POST", "/api/auth/refresh/"),
    ("PATCH", "/api/auth/me/"),
    ("DELETE", "/api/auth/me/"),
]
GOOD = b'{"username":"alice2","email":"a2@example.com","password":"correct horse battery"%s}'
MALFORMED = {
    "empty": b"",
    "no JSON": b"username=alice",
    "cut": b'{"username": "al',
    "binary": bytes(range(256)),
    "not UTF-8": GOOD % b',"display_name":"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + GOOD % b"",
    "NaN": GOOD % b',"x":NaN',
    "infinity": GOOD % b',"x":-Infinity',
    "NUL": GOOD % b',"display_name":"a\\u0000b"',
    "NUL in a name": GOOD % b',"a\\u0000b":1',
    "half a pair": GOOD % b',"display_name":"\\ud800"',
    "half a pair in a name": GOOD % b',"\\udfff":1',
    "raw half a pair": GOOD % b',"display_name":"\xed\xa0\x80"',
    "deep": GOOD % (b',"x":' + b"[" * 33 + b"]" * 33),
    "very deep": b"[" * 30_000,
    "two values": GOOD % b"" + b"{}",
    "a list": b"[]",
    "a string": b'"alice"',
    "a number": b"5",
    "null": b"null",
    "trailing comma": GOOD % b",",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept():
    return lambda: (list(User.objects.values()), list(Session.objects.values()))


@pytest.mark.parametrize(("method", "path"), DOORS, ids=map(" ".join, DOORS))
class TestEveryDoor:
    @pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
    def test_refuses_a_malformed_body(self, api, alice, refusal, kept, method, path, body):
        before = kept()
        answer = api.send(method, path, body, token=alice.access)
        # An empty change asks for nothing, and gets it.
        if (method, body) == ("PATCH", b""):
            assert answer.status_code == 200
        else:
            refusal(answer, 400, "invalid")
        assert kept() == before

    def test_refuses_a_body_too_large(self, api, alice, refusal, kept, method, path):
        before = kept()
        body = json.dumps({"padding": "x" * 64 * 1024}).encode()
        refusal(api.send(method, path, body, token=alice.access), 413, "too_large")
        assert kept() == before

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
    )
    def test_refuses_other_media_types(self, api, alice, refusal, kept, method, path, kind):
        before = kept()
        answer = api.client.generic(
            method,
            path,
            GOOD % b"",
            content_type=kind,
            headers={"Authorization": f"Bearer {alice.access}"},
        )
        refusal(answer, 415, "unsupported_media_type")
        assert kept() == before

    def test_refuses_other_methods(self, api, alice, refusal, kept, method, path):
        before = kept()
        for other in {"PUT", "DELETE", "OPTIONS", "TRACE"} - {m for m, p in DOORS if p == path}:
            answer = api.send(other, path, token=alice.access)
            refusal(answer, 405, "method_not_allowed")
            assert method in answer["Allow"]
        assert kept() == before

    def test_answers_a_request_id(self, api, alice, method, path):
        answer = api.client.generic(method, path, b"{", headers={"X-Request-ID": "a-1"})
        assert answer["X-Request-ID"] == "a-1"


class TestUnknownPaths:
    @pytest.mark.parametrize(
        "path", ["/", "/api/auth/", "/api/auth/login", "/api/auth/nothing/", "/internal/", "/%00"]
    )
    def test_are_not_found_in_json(self, api, refusal, path):
        refusal(api.get(path), 404, "not_found")

    def test_of_another_host_are_refused_in_json(self, api, refusal):
        answer = api.client.get("/api/auth/login/", headers={"Host": "evil.example"})
        refusal(answer, 400, "invalid")
