"""Operators see people, rooms and messages, with accounts of their own, and change nothing."""

import secrets
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from messaging.permissions.limits import (
    OPERATOR_TRIES,
    OPERATOR_TRIES_AT_ADDRESS,
    operator_place_limit,
)
from service_kit.addresses import network_of

PASSWORD = "a-word-for-operators"


@pytest.fixture(scope="module")
def operator(_database):
    return User.objects.create_superuser(f"op-{uuid4().hex[:12]}", password=PASSWORD)


@pytest.fixture
def browser(operator):
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def sign_in():
    """Whether somebody who signs in so, from an address, is let in."""

    def run(name, password, address):
        given = {"username": name, "password": password}
        return Client(headers={"X-Real-Ip": address}).post(page("login/"), given).status_code == 302

    return run


def new_address():
    """An address of documentation (RFC 3849): each test has a network of its own."""
    return f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"


def page(path):
    return f"/admin/chat/{path}"


class TestSigningIn:
    def test_takes_an_operator_s_password(self, operator):
        given = {"username": operator.username, "password": PASSWORD, "next": page("")}
        answer = Client().post(page("login/"), given, secure=True)
        assert (answer.status_code, answer["Location"]) == (302, page(""))
        cookie = answer.cookies["chat_operator"]
        assert (cookie["path"], cookie["samesite"]) == ("/admin/chat/", "Strict")
        assert (cookie["httponly"], cookie["secure"]) == (True, True)

    def test_needs_the_form_s_token(self, operator):
        given = {"username": operator.username, "password": PASSWORD}
        answer = Client(enforce_csrf_checks=True).post(page("login/"), given)
        assert answer.status_code == 403
        assert answer.cookies == {}

    def test_is_limited_for_a_name_at_an_address(self, operator, sign_in):
        address = new_address()
        for _ in range(OPERATOR_TRIES):
            assert not sign_in(operator.username, "a guess", address)
        assert not sign_in(operator.username, PASSWORD, address)
        assert sign_in(operator.username, PASSWORD, new_address())

    def test_lets_in_with_the_last_try(self, operator, sign_in):
        address = new_address()
        for _ in range(OPERATOR_TRIES - 1):
            assert not sign_in(operator.username, "a guess", address)
        assert sign_in(operator.username, PASSWORD, address)

    def test_is_limited_for_all_names_of_an_address(self, operator, sign_in):
        address = new_address()
        operator_place_limit().ask({network_of(address): OPERATOR_TRIES_AT_ADDRESS - 1})()
        assert not sign_in("somebody", "a guess", address)
        assert not sign_in(operator.username, PASSWORD, address)
        assert sign_in(operator.username, PASSWORD, new_address())

    def test_is_one_line_of_the_security_log(self, operator, sign_in, caplog):
        address = new_address()
        caplog.set_level("INFO", "service_kit.security")
        sign_in(operator.username, PASSWORD, address)
        for _ in range(OPERATOR_TRIES):
            sign_in(operator.username, "a guess", address)
        lines = [each for each in caplog.records if each.name == "service_kit.security"]
        told = [(each.event, each.user_id, each.address) for each in lines]
        assert told == [
            ("operator.signed_in", str(operator.pk), address),
            *[("login.failed", None, address)] * (OPERATOR_TRIES - 1),
            ("request.limited", None, address),
        ]
        assert "guess" not in caplog.text

    def test_is_not_for_people_with_a_token(self, api, alice):
        for path in ("", "messaging/message/"):
            answer = api.get(page(path), token=alice.token)
            assert answer.status_code == 302
            assert answer["Location"].startswith(page("login/"))

    def test_does_not_open_the_api(self, browser):
        assert browser.get("/api/chat/rooms/").status_code == 401


class TestPages:
    def test_have_their_style(self, browser):
        assert f'href="{settings.STATIC_URL}admin/css/base.css"' in browser.get(page("")).text
        answer = browser.get(f"{settings.STATIC_URL}admin/css/base.css")
        assert answer["Content-Type"] == "text/css"
        assert b"".join(answer.streaming_content)
        assert browser.get(f"{settings.STATIC_URL}../../manage.py").status_code == 400

    def test_show_what_is_searched_for(self, browser, socket_door, alice, bob, room):
        message = socket_door.send(alice, room, content="seen by an operator").message
        found = browser.get(page("messaging/message/"), {"q": room}).text
        assert f"/admin/chat/messaging/message/{message['id']}/change/" in found
        assert (
            "seen by an operator"
            in browser.get(page(f"messaging/message/{message['id']}/change/")).text
        )
        assert alice.username in browser.get(page(f"messaging/room/{room}/change/")).text
        assert bob.username in browser.get(page("messaging/profile/"), {"q": bob.username}).text
        assert alice.username not in browser.get(page("messaging/profile/"), {"q": bob.id}).text

    @pytest.mark.parametrize("term", ["nobody", "9" * 30, "1' OR '1'='1"])
    def test_find_nothing_for_nonsense(self, browser, room, term):
        for table in ("message", "room", "profile"):
            answer = browser.get(page(f"messaging/{table}/"), {"q": term})
            assert answer.status_code == 200
            assert f"messaging/{table}/{room}/change/" not in answer.text

    @pytest.mark.parametrize("table", ["message", "room", "profile"])
    def test_change_nothing(self, browser, room, alice, socket_door, table):
        sent = socket_door.send(alice, room, content="as it is").message
        key = {"message": sent["id"], "room": room, "profile": alice.id}[table]
        for act in ("change/", "delete/"):
            answer = browser.post(page(f"messaging/{table}/{key}/{act}"), {"content": "changed"})
            assert answer.status_code == 403
        assert browser.get(page(f"messaging/{table}/add/")).status_code == 403
        now = socket_door.api.get(f"messages/{sent['id']}/", token=alice.token).json()
        assert now == sent or table != "message"
