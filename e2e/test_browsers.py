"""A web page's session through the gateway: cookies, and which pages may use them."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from e2e.people import PASSWORD

if TYPE_CHECKING:
    from e2e.people import Person
    from local.stack import Stack

EVIL = "http://evil.example.org"
LOGIN = "/api/auth/login/"


@pytest.fixture
def page(alice: Person) -> dict[str, str]:
    """The headers a page of ours sends for alice."""
    return alice.logs_in_as_page()


def ask(
    stack: Stack, method: str, path: str, headers: dict[str, str], body: object = None
) -> httpx.Response:
    return httpx.request(method, f"{stack.address}{path}", headers=headers, json=body)


class TestCookies:
    def test_are_set_as_promised(self, stack: Stack, alice: Person) -> None:
        body = {"username": alice.username, "password": PASSWORD, "session": True}
        answer = ask(stack, "POST", LOGIN, {}, body)
        set_by = [SimpleCookie(line) for line in answer.headers.get_list("set-cookie")]
        cookies = {name: cookie for jar in set_by for name, cookie in jar.items()}
        assert {
            name: (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"])
            for name, cookie in cookies.items()
        } == {
            "access_token": ("/", True, True, "Lax"),
            "refresh_token": ("/api/auth/refresh/", True, True, "Strict"),
            "csrftoken": ("/", "", True, "Lax"),
        }
        assert set(answer.json()) == {"user", "csrf_token"}

    def test_open_both_services(
        self, stack: Stack, alice: Person, bob: Person, page: dict[str, str]
    ) -> None:
        assert ask(stack, "GET", "/api/auth/me/", page).json() == alice.user
        made = ask(stack, "POST", "/api/chat/rooms/", page, {"username": bob.username})
        assert made.status_code == 201
        path = f"/api/chat/rooms/{made.json()['room_id']}/messages/"
        sent = ask(stack, "POST", path, page, {"content": "From a page"})
        assert sent.json()["sender_id"] == alice.user["id"]

    @pytest.mark.parametrize("path", ["/api/auth/logout-all/", "/api/chat/rooms/"])
    def test_change_nothing_without_the_csrf_token(
        self, stack: Stack, bob: Person, page: dict[str, str], path: str
    ) -> None:
        for shown in ({}, {"X-CSRFToken": "x"}):
            headers = {**page, **shown}
            headers = headers if shown else {k: v for k, v in page.items() if k != "X-CSRFToken"}
            answer = ask(stack, "POST", path, headers, {"username": bob.username})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert ask(stack, "GET", "/api/chat/rooms/", page).json()["results"] == []

    def test_are_beaten_by_a_header(self, stack: Stack, bob: Person, page: dict[str, str]) -> None:
        headers = {**page, "Authorization": f"Bearer {bob.access}"}
        assert ask(stack, "GET", "/api/auth/me/", headers).json() == bob.user

    def test_are_exchanged_and_taken_back(self, stack: Stack, page: dict[str, str]) -> None:
        renewed = ask(stack, "POST", "/api/auth/refresh/", page, {})
        assert renewed.status_code == 200
        shown = "; ".join(f"{name}={value}" for name, value in renewed.cookies.items())
        headers = {**page, "Cookie": shown}
        assert ask(stack, "GET", "/api/chat/rooms/", headers).status_code == 200
        answer = ask(stack, "POST", "/api/auth/logout/", headers)
        assert answer.status_code == 204
        assert all("Max-Age=0" in line for line in answer.headers.get_list("set-cookie"))
        assert ask(stack, "GET", "/api/auth/me/", headers).json()["code"] == "session_revoked"


class TestASocket:
    def test_opens_with_the_cookie_of_a_page_of_ours(
        self, stack: Stack, alice: Person, bob: Person, page: dict[str, str]
    ) -> None:
        room = alice.opens_room_with(bob)
        address = f"{stack.address.replace('http', 'ws')}/ws/chat/{room}/"
        cookie = {"Cookie": page["Cookie"]}
        with connect(address, additional_headers=cookie | {"Origin": stack.address}) as socket:
            assert json.loads(socket.recv(5))["user_id"] == alice.user["id"]
        with connect(address, additional_headers=cookie) as socket:
            with pytest.raises(ConnectionClosed):
                socket.recv(5)
            assert socket.close_code == 4401
        with pytest.raises(InvalidStatus) as refused:
            connect(address, additional_headers=cookie | {"Origin": EVIL})
        assert refused.value.response.status_code == 403


class TestOrigins:
    @pytest.mark.parametrize("path", ["/api/auth/me/", "/api/chat/rooms/"])
    def test_of_ours_may_read_the_answers(
        self, stack: Stack, page: dict[str, str], path: str
    ) -> None:
        answer = ask(stack, "GET", path, page)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == stack.address
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
        asked = {"Origin": stack.address, "Access-Control-Request-Method": "POST"}
        assert ask(stack, "OPTIONS", path, asked).status_code == 204

    @pytest.mark.parametrize("path", ["/api/auth/me/", "/api/chat/rooms/", LOGIN])
    @pytest.mark.parametrize("origin", [EVIL, "null", "https://localhost", "http://localhost"])
    def test_of_others_are_refused(
        self, stack: Stack, page: dict[str, str], path: str, origin: str
    ) -> None:
        for method in ("GET", "POST", "OPTIONS"):
            headers = {**page, "Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = ask(stack, method, path, headers)
            assert answer.status_code == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


class TestTheAddress:
    @pytest.mark.parametrize(
        "name", ["X-Real-Ip", "X-Forwarded-For", "Forwarded", "X-Client-Ip", "True-Client-Ip"]
    )
    def test_is_what_the_gateway_saw(self, stack: Stack, alice: Person, name: str) -> None:
        request_id = f"address-{name}"
        forged = {name: "203.0.113.9", "X-Request-ID": request_id}
        body = {"username": alice.username, "password": "wrong password"}
        assert ask(stack, "POST", LOGIN, forged, body).status_code == 401
        with stack.postgres.connect("auth") as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT host(address) FROM accounts_securityevent WHERE request_id = %s",
                [request_id],
            )
            assert cursor.fetchall() == [("127.0.0.1",)]

    @pytest.mark.parametrize(
        "name", ["X_Real_Ip", "X_Forwarded_For", "X.Real.Ip", "X.Forwarded.For"]
    )
    def test_has_no_other_spelling(self, stack: Stack, name: str) -> None:
        body = {"username": "nobody", "password": "wrong password"}
        assert ask(stack, "POST", LOGIN, {name: "203.0.113.9"}, body).status_code == 400


class TestOperators:
    @pytest.mark.parametrize("service", ["auth", "chat"])
    def test_have_an_entry_point_of_their_own(self, stack: Stack, service: str) -> None:
        ours = f"http://localhost:{stack.operators_port}/admin/{service}/"
        answer = httpx.get(f"{ours}login/")
        assert answer.status_code == 200
        assert f"/admin/{service}/static/admin/css/base.css" in answer.text
        assert httpx.get(f"{ours}static/admin/css/base.css").status_code == 200
        assert httpx.get(f"{stack.address}/admin/{service}/login/").status_code == 404

    @pytest.mark.parametrize("service", ["auth", "chat"])
    def test_sign_in_there(self, stack: Stack, service: str) -> None:
        command = {"auth": stack.auth, "chat": stack.messaging}[service]
        name, password = f"operator-{service}", "a-word-for-operators"
        command.environment["DJANGO_SUPERUSER_PASSWORD"] = password
        given = ("--username", name, "--email", f"{name}@example.com", "--noinput")
        command.manage("createsuperuser", *given).run(seconds=30)
        root = f"http://localhost:{stack.operators_port}"
        cookies = dict(httpx.get(f"{root}/admin/{service}/login/").cookies)
        form = {"username": name, "password": password, "csrfmiddlewaretoken": ""}
        form["csrfmiddlewaretoken"] = cookies[f"{service}_operator_csrf"]
        shown = "; ".join(f"{key}={value}" for key, value in cookies.items())
        headers = {"Cookie": shown, "Origin": root}
        answer = httpx.post(f"{root}/admin/{service}/login/", data=form, headers=headers)
        assert answer.status_code == 302, answer.text
        shown = "; ".join(f"{key}={value}" for key, value in answer.cookies.items())
        home = httpx.get(f"{root}/admin/{service}/", headers={"Cookie": shown})
        assert home.status_code == 200
        assert name in home.text
        foreign = httpx.post(
            f"{root}/admin/{service}/login/", data=form, headers={**headers, "Origin": EVIL}
        )
        assert foreign.status_code == 403
