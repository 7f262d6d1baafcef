"""Whoever asks for all that is kept of him gets all of it, or a refusal."""

import json
import threading
import zipfile
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.actions.leaving import exporting, messaging, personal
from accounts.models import Mail, RecoveryCode, SecondFactor, SecurityEvent, Session, User

EXPORT = "/api/auth/me/export/"
PAGES = {
    "": {"part": "profile", "results": [{"user_id": "1"}], "next": "http://x/?cursor=messages."},
    "messages.": {
        "part": "messages",
        "results": [{"content": "é"}],
        "next": "http://x/?cursor=messages.a-1",
    },
    "messages.a-1": {"part": "messages", "results": [{"content": "2"}], "next": None},
}

pytestmark = pytest.mark.django_db


class Messaging:
    """A server that answers with `pages`, or does with a request whatever `act` does."""

    def __init__(self):
        self.pages = PAGES
        self.asked = []
        self.act = None
        self.released = threading.Event()

    def handle(self, handler):
        self.asked.append((handler.path, handler.headers["Authorization"]))
        if self.act is not None and self.act(handler, len(self.asked)):
            return
        cursor = parse_qs(urlsplit(handler.path).query).get("cursor", [""])[0]
        self.answer(handler, json.dumps(self.pages[cursor]).encode())

    def answer(self, handler, body, status=200):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def messaging_service(settings):
    service = Messaging()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            service.handle(self)

        def log_message(self, *_):
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """Clients that cut the line are what a test is about."""

    with ExitStack() as stack:
        http = stack.enter_context(Quiet(("127.0.0.1", 0), Handler))
        stack.callback(http.shutdown)
        stack.callback(service.released.set)
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        settings.MESSAGING_API_URL = f"http://127.0.0.1:{http.server_port}/"
        yield service


def read(answer):
    """Read every file of the ZIP."""
    assert answer.status_code == 200, answer.content
    content = b"".join(answer.streaming_content)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


class TestTheExport:
    def test_holds_what_both_services_hold(self, api, alice, bob, messaging_service):
        Mail.objects.create(kind="reset", user_id=int(alice.id), address="alice@example.com")
        Mail.objects.create(kind="reset", user_id=int(bob.id), address="bob@example.com")
        SecondFactor.objects.create(user_id=alice.id, sealed=b"a secret")
        RecoveryCode.objects.create(user_id=alice.id, code_hash=b"a hash")
        answer = api.post(EXPORT, token=alice.access)
        assert answer["Content-Type"] == "application/zip"
        assert "attachment" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store"
        files = read(answer)
        mine = {personal.part for personal in personal.PERSONAL if personal.part}
        expected = {f"account/{part}.json" for part in mine}
        assert files.keys() == expected | {"messaging/profile.json", "messaging/messages.json"}
        assert files["messaging/messages.json"] == [{"content": "é"}, {"content": "2"}]
        [account] = files["account/account.json"]
        assert (account["username"], account["email"]) == ("alice", "alice@example.com")
        [session] = files["account/sessions.json"]
        assert session["id"] == str(Session.objects.get(user=alice.id).pk)
        assert [event["event"] for event in files["account/security-events.json"]] == [
            "account.registered"
        ]
        assert [mail["to"] for mail in files["account/mails-to-be-sent.json"]] == [
            "alice@example.com"
        ]
        assert files["account/second-factor.json"] == [
            {"enabled_at": None, "recovery_codes_left": 1}
        ]
        assert files["account/mailed-codes.json"] == []

    def test_holds_the_picture(self, api, alice, messaging_service, settings, tmp_path):
        settings.MEDIA_ROOT = str(tmp_path)
        User.objects.filter(pk=alice.id).update(avatar=f"{alice.id}/{'0' * 32}.webp")
        read(api.post(EXPORT, token=alice.access))
        default_storage.save(f"avatars/{alice.id}/{'0' * 32}.webp", ContentFile(b"a picture"))
        content = b"".join(api.post(EXPORT, token=alice.access).streaming_content)
        with zipfile.ZipFile(BytesIO(content)) as archive:
            assert archive.read("account/avatar.webp") == b"a picture"

    def test_holds_no_secret_and_nobody_else(self, api, alice, bob, messaging_service):
        SecondFactor.objects.create(user_id=alice.id, sealed=b"a secret")
        text = json.dumps(read(api.post(EXPORT, token=alice.access)))
        assert "bob" not in text
        hashed = Session.objects.get(user=alice.id)
        secrets = (alice.access, alice.refresh, "argon2", "a secret", hashed.refresh_hash.hex())
        assert [secret for secret in secrets if secret in text] == []

    def test_asks_messaging_as_the_caller(self, api, alice, messaging_service):
        read(api.post(EXPORT, token=alice.access))
        assert messaging_service.asked == [
            (f"/api/chat/me/export/{query}", f"Bearer {alice.access}")
            for query in ("", "?cursor=messages.", "?cursor=messages.a-1")
        ]

    def test_takes_a_cookie_as_well(self, api, alice, messaging_service):
        login = {"username": "alice", "password": "correct horse battery", "session": True}
        api.post("/api/auth/login/", login)
        cookies = api.client.cookies
        token = cookies["access_token"].value
        read(api.send("POST", EXPORT, **{"X-CSRFToken": cookies["csrftoken"].value}))
        assert messaging_service.asked[0][1] == f"Bearer {token}"

    def test_reads_many_rows_some_at_a_time(self, api, alice, messaging_service, monkeypatch):
        monkeypatch.setattr(personal, "CHUNK", 2)
        for number in range(4):
            SecurityEvent.objects.create(event=f"x{number}", user_id=alice.id)
        events = read(api.post(EXPORT, token=alice.access))["account/security-events.json"]
        named = [event["event"] for event in events]
        assert named == ["account.registered", "x0", "x1", "x2", "x3"]

    def test_is_written_down(self, api, alice, messaging_service):
        read(api.post(EXPORT, token=alice.access))
        event = SecurityEvent.objects.latest("pk")
        assert (event.event, event.user_id) == ("account.exported", int(alice.id))

    def test_is_for_people_in_a_session(self, api, alice, messaging_service, refusal):
        refusal(api.post(EXPORT), 401, "not_authenticated")
        api.post("/api/auth/logout/", token=alice.access)
        refusal(api.post(EXPORT, token=alice.access), 401, "session_revoked")
        assert messaging_service.asked == []


def garbage(body, status=200):
    def act(handler, number):
        if number < 2:
            return False
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Location", "/elsewhere")
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return act


HALF = {
    "an error": garbage(b"", 500),
    "a refusal": garbage(b"", 401),
    "a redirect": garbage(b"", 302),
    "no JSON": garbage(b"{"),
    "no page": garbage(b"[]"),
    "no part": garbage(b'{"results": [], "next": null}'),
    "a path": garbage(b'{"part": "../x", "results": [], "next": null}'),
    "no rows": garbage(b'{"part": "x", "results": 1, "next": null}'),
    "no cursor": garbage(b'{"part": "x", "results": [], "next": "http://x/"}'),
}


class TestHalfOfIt:
    @pytest.mark.parametrize("how", HALF)
    def test_is_none(self, api, alice, messaging_service, refusal, how):
        """The first page is good, and what follows is not."""
        messaging_service.act = HALF[how]
        answer = api.post(EXPORT, token=alice.access)
        refusal(answer, 503, "unavailable")
        assert answer["Retry-After"] == "30"
        assert not SecurityEvent.objects.filter(event="account.exported").exists()

    def test_is_none_when_messaging_is_silent(
        self, api, alice, messaging_service, refusal, monkeypatch
    ):
        monkeypatch.setattr(messaging, "PAGE_SECONDS", 0.2)
        messaging_service.act = lambda *_: messaging_service.released.wait(20)
        refusal(api.post(EXPORT, token=alice.access), 503, "unavailable")

    def test_is_none_when_it_takes_too_long(
        self, api, alice, messaging_service, refusal, monkeypatch
    ):
        monkeypatch.setattr(messaging, "LONGEST_SECONDS", 0.0)
        refusal(api.post(EXPORT, token=alice.access), 503, "unavailable")

    def test_is_none_when_nobody_answers(self, api, alice, settings, refusal):
        settings.MESSAGING_API_URL = "http://127.0.0.1:9"
        refusal(api.post(EXPORT, token=alice.access), 503, "unavailable")


class TestItsLimits:
    def test_are_so_many_an_hour_for_each(
        self, api, alice, bob, messaging_service, settings, refusal
    ):
        settings.LIMITS = settings.LIMITS | {"EXPORTS_PER_HOUR": 2}
        for _ in range(2):
            read(api.post(EXPORT, token=alice.access))
        answer = api.post(EXPORT, token=alice.access)
        refusal(answer, 429, "rate_limited")
        assert int(answer["Retry-After"]) > 1700
        read(api.post(EXPORT, token=bob.access))

    def test_leave_threads_for_the_others(self, api, alice, messaging_service, refusal):
        with ExitStack() as busy:
            for _ in range(exporting.MOST_AT_ONCE):
                busy.enter_context(exporting._turn())
            refusal(api.post(EXPORT, token=alice.access), 503, "unavailable")
        read(api.post(EXPORT, token=alice.access))
