"""DIRECT_MESSAGES=contacts, and how often one may ask: on processes with settings of their own."""

import json
from contextlib import closing
from http.client import HTTPConnection

import pytest

from local.ports import LOOPBACK
from messaging.actions.contacts import end_contact, request_contact
from messaging.actions.profiles import know_person
from messaging.models import Contact, Profile
from messaging.permissions import Tie, refusal_to_write, tie_between
from messaging_service.tests.servers import start_servers
from messaging_service.tests.state import state_of

MOST = 3


@pytest.fixture(scope="module")
def strict(_database, tmp_path_factory):
    """Processes where only contacts may write to each other, and three requests an hour."""
    settings = {"DIRECT_MESSAGES": "contacts", "LIMIT_CONTACT_REQUESTS_PER_HOUR": str(MOST)}
    folder = tmp_path_factory.mktemp("strict")
    with start_servers(folder, sockets=1, http=1, **settings) as (sockets, http):
        yield sockets, http


@pytest.fixture
def post(strict):
    """Ask over HTTP: the status, the headers and the code of a refusal."""

    def ask(person, path, body, *, method="POST"):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {person.token}"}
        with closing(HTTPConnection(LOOPBACK, strict[1].port, timeout=10)) as link:
            link.request(method, f"/api/chat/{path}", json.dumps(body), headers)
            answer = link.getresponse()
            return answer.status, answer.headers, json.loads(answer.read() or "{}").get("code")

    return ask


@pytest.fixture
def send(post, enter, strict):
    """Send through both doors; the codes they refuse with, None for what is sent."""

    def both(person, room):
        _, _, code = post(person, f"rooms/{room}/messages/", {"content": "x"})
        with closing(enter(person, room, server=strict[0])) as socket:
            told = socket.ask({"type": "message", "content": "x"})
        return code, told.get("code")

    return both


def connect(one, other):
    """Make them contacts; returns its id."""
    for person, asked in ((one, other), (other, one)):
        contact = request_contact(user_id=person.id, other=know_person(user_id=asked.id)).contact
    return contact.pk


class TestOnlyContacts:
    def test_may_write_to_each_other(self, send, alice, bob, room):
        before = state_of(room)
        assert send(alice, room) == ("contacts_only",) * 2
        request_contact(user_id=bob.id, other=know_person(user_id=alice.id))
        assert send(bob, room) == ("contacts_only",) * 2
        assert state_of(room) == before
        contact = connect(alice, bob)
        assert send(alice, room) == send(bob, room) == (None, None)
        end_contact(user_id=bob.id, contact_id=contact)
        assert send(alice, room) == ("contacts_only",) * 2

    def test_may_open_a_room(self, post, alice, bob):
        body = {"participants": [bob.id]}
        status, _, code = post(alice, "rooms/", body)
        assert (status, code) == (403, "contacts_only")
        connect(alice, bob)
        assert post(alice, "rooms/", body)[0] == 201


class TestAsking:
    def test_is_refused_past_the_limit(self, post, make_person, alice):
        others = [make_person() for _ in range(MOST + 1)]
        asked = [post(alice, "contacts/", {"user_id": other.id}) for other in others]
        assert [status for status, _, _ in asked] == [201] * MOST + [429]
        _, headers, code = asked[-1]
        assert (code, 0 < int(headers["Retry-After"]) <= 3_600 / MOST) == ("rate_limited", True)
        assert Contact.objects.filter(requester=alice.id).count() == MOST

    def test_is_everybodys_own(self, post, alice, bob, carol):
        for _ in range(MOST):
            post(alice, "contacts/", {"user_id": carol.id})
        assert post(alice, "contacts/", {"user_id": bob.id})[0] == 429
        assert post(bob, "contacts/", {"user_id": alice.id})[0] == 201


class TestTakingABlockBack:
    def test_is_refused_past_the_limit_and_blocking_is_not(self, post, alice, bob):
        body = {"user_id": bob.id}
        for _ in range(MOST):
            assert post(alice, "blocks/", body)[0] == 201
            assert post(alice, "blocks/", body, method="DELETE")[0] == 204
            assert post(alice, "blocks/", body, method="DELETE")[0] == 204
        assert post(alice, "blocks/", body)[0] == 201
        before = tie_between(alice.id, bob.id), Profile.objects.get(pk=alice.id).pos
        status, _, code = post(alice, "blocks/", body, method="DELETE")
        assert (status, code) == (429, "rate_limited")
        assert (tie_between(alice.id, bob.id), Profile.objects.get(pk=alice.id).pos) == before


class TestRefusalToWrite:
    @pytest.mark.parametrize(
        ("setting", "tie", "code"),
        [
            *(("anyone", Tie(False, are), None) for are in (True, False)),
            *(("anyone", Tie(True, are), "blocked") for are in (True, False)),
            ("contacts", Tie(False, True), None),
            ("contacts", Tie(False, False), "contacts_only"),
            *(("contacts", Tie(True, are), "blocked") for are in (True, False)),
            *((setting, None, None) for setting in ("anyone", "contacts")),
        ],
    )
    def test_is_of_what_two_are_to_each_other(self, settings, setting, tie, code):
        settings.DIRECT_MESSAGES = setting
        refusal = refusal_to_write(tie)
        assert (refusal and refusal.code) == code
