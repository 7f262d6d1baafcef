"""What messaging does with every answer auth_service may give, and with none."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from messaging.actions.profiles import know_person, know_person_named
from messaging.errors import NotFound, Unavailable
from messaging.models import Profile
from messaging.queries.directory import Person, people_by_id, people_by_username


class Impostor(ThreadingHTTPServer):
    """Stands where auth_service should be, and answers as it is told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.released = threading.Event()
        self.status, self.body, self.headers = 200, b"", {}
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers["Authorization"]))
        if server.body is None:
            server.released.wait(20)
            return
        self.send_response(server.status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_):
        return


@pytest.fixture
def impostor(settings):
    with Impostor() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings.AUTH_API_URL = server.url
        yield server
        server.released.set()
        server.shutdown()


ANSWERS = {
    "nothing": b"",
    "no JSON": b"<html>",
    "an array": b"[]",
    "no results": b"{}",
    "null results": b'{"results":null}',
    "results of another kind": b'{"results":{"id":"1"}}',
    "people of another kind": b'{"results":["1"]}',
    "people without fields": b'{"results":[{"id":"1"}]}',
    "too much": b'{"results":[]}' + b" " * 70_000,
    "too deep": b"[" * 100 + b"]" * 100,
    "no UTF-8": b'{"results":[{"id":"\xff"}]}',
}


class TestPeople:
    def test_are_those_auth_service_knows(self, auth_service, settings, make_person):
        settings.AUTH_API_URL = auth_service.url
        name = make_person("erin", known=False).username
        user_id = auth_service.register(name)
        person = Person(user_id, name, name.title(), None, is_active=True)
        assert people_by_id([user_id, "999999"]) == [person]
        assert people_by_username(name.upper()) == [person]
        assert people_by_username("nobody") == people_by_id(["999999"]) == []

    def test_are_asked_for_with_our_credential(self, impostor, settings):
        impostor.body = b'{"results":[]}'
        assert people_by_id(["1", "2"]) == []
        assert people_by_username("a&ids=1 é") == []
        bearer = f"Bearer {settings.INTERNAL_SECRET}"
        assert impostor.asked == [
            ("/internal/users/?ids=1%2C2", bearer),
            ("/internal/users/?usernames=a%26ids%3D1+%C3%A9", bearer),
        ]

    def test_are_no_others_than_were_asked_for(self, impostor):
        impostor.body = (
            b'{"results":[{"id":"7","username":"mallory","display_name":"",'
            b'"avatar":null,"is_active":true}]}'
        )
        assert people_by_id(["1"]) == people_by_username("alice") == []
        assert len(people_by_id(["7"])) == len(people_by_username("Mallory")) == 1


class TestUselessAnswer:
    @pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS.keys())
    def test_is_unavailable_and_keeps_nobody(self, impostor, body):
        impostor.body = body
        before = Profile.objects.count()
        for look in (lambda: know_person(user_id="31"), lambda: know_person_named(username="x31")):
            with pytest.raises(Unavailable) as caught:
                look()
            assert (caught.value.status, caught.value.retry_after) == (503, 1)
        assert Profile.objects.count() == before

    @pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 403, 404, 500, 503])
    def test_is_any_status_but_200(self, impostor, status):
        impostor.status, impostor.body = status, b"" if status == 204 else b'{"results":[]}'
        with pytest.raises(Unavailable):
            know_person(user_id="31")

    def test_is_a_redirect_that_nobody_follows(self, impostor):
        impostor.status, impostor.headers = 302, {"Location": f"{impostor.url}/elsewhere"}
        with pytest.raises(Unavailable):
            know_person(user_id="31")
        assert len(impostor.asked) == 1

    def test_is_none_within_two_seconds(self, impostor):
        impostor.body = None
        began = time.monotonic()
        with pytest.raises(Unavailable):
            know_person(user_id="31")
        assert 1.5 < time.monotonic() - began < 3.5

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid:80"])
    def test_is_no_server(self, settings, url):
        settings.AUTH_API_URL = url
        with pytest.raises(Unavailable):
            know_person(user_id="31")


class TestKnowPerson:
    def test_asks_for_nobody_it_knows(self, settings, bob):
        settings.AUTH_API_URL = "http://127.0.0.1:9"
        assert know_person(user_id=bob.id).username == bob.username
        assert know_person_named(username=bob.username.upper()).user_id == bob.id

    def test_knows_nobody_who_left_before_he_came(self, impostor):
        impostor.body = (
            b'{"results":[{"id":"32","username":"gone","display_name":"","avatar":null,'
            b'"is_active":false}]}'
        )
        with pytest.raises(NotFound):
            know_person(user_id="32")
        assert not Profile.objects.filter(pk="32").exists()
