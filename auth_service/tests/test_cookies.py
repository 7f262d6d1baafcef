"""Sessions of web pages: what their cookies are, where they go, and what they are good for."""

import pytest
from django.test import Client

from accounts.models import Session

PASSWORD = "correct horse battery"
LOGIN = {"username": "alice", "password": PASSWORD, "session": True}

pytestmark = pytest.mark.django_db


class Page:
    """A page of ours in a browser, which sends the cookies it was given where they belong."""

    def __init__(self):
        self.client = Client()

    def ask(self, method, path, body=None, *, shows=True, **headers):
        if shows and "csrftoken" in self.client.cookies:
            headers = {"X-CSRFToken": self.client.cookies["csrftoken"].value} | headers
        return self.client.generic(
            method, f"/api/auth/{path}", body or "{}", "application/json", headers=headers
        )

    def cookie(self, name):
        return self.client.cookies[name]


@pytest.fixture
def page(alice):
    """Alice's page, logged in."""
    page = Page()
    answer = page.client.post("/api/auth/login/", LOGIN, "application/json")
    assert answer.status_code == 200, answer.content
    page.told = answer.json()
    return page


class TestLogin:
    def test_shows_no_token_in_the_body(self, page, alice):
        assert set(page.told) == {"user", "csrf_token"}
        assert page.told["user"]["id"] == alice.id
        assert page.told["csrf_token"] == page.cookie("csrftoken").value

    def test_sets_three_cookies(self, page):
        names = {"access_token", "refresh_token", "csrftoken"}
        found = {
            name: [page.cookie(name)[key] for key in ("path", "httponly", "samesite", "max-age")]
            for name in names
        }
        assert set(page.client.cookies) == names
        assert found == {
            "access_token": ["/", True, "Lax", 300],
            "refresh_token": ["/api/auth/refresh/", True, "Strict", 14 * 24 * 3600],
            "csrftoken": ["/", "", "Lax", 14 * 24 * 3600],
        }
        assert {page.cookie(name)["domain"] for name in names} == {""}

    @pytest.mark.parametrize("debug", [True, False])
    def test_asks_for_tls_outside_debug(self, settings, alice, debug, run_with):
        done = run_with(
            {"DEBUG": str(debug)},
            "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE)",
        )
        assert done.stdout.strip() == str(not debug), done.stderr
        settings.SESSION_COOKIE_SECURE = not debug
        page = Page()
        page.client.post("/api/auth/login/", LOGIN, "application/json")
        assert {bool(page.cookie(name)["secure"]) for name in page.client.cookies} == {not debug}

    def test_gives_each_session_a_csrf_token_of_its_own(self, page):
        again = page.client.post("/api/auth/login/", LOGIN, "application/json").json()
        assert again["csrf_token"] != page.told["csrf_token"]

    @pytest.mark.parametrize("session", [False, None])
    def test_sets_none_unless_asked(self, api, alice, session):
        asked = LOGIN if session is None else LOGIN | {"session": session}
        asked = {name: asked[name] for name in asked if name != "session" or session is not None}
        answer = api.post("/api/auth/login/", asked)
        assert set(answer.json()) == {"user", "access", "refresh"}
        assert answer.cookies == {}


class TestAccess:
    def test_is_by_cookie(self, page, alice):
        assert page.ask("GET", "me/").json()["id"] == alice.id

    def test_changes_things_with_the_csrf_token(self, page):
        assert page.ask("PATCH", "me/", '{"display_name": "Al"}').status_code == 200

    def test_changes_nothing_without_it(self, page, refusal):
        answer = page.ask("PATCH", "me/", '{"display_name": "Al"}', shows=False)
        refusal(answer, 403, "forbidden")
        assert page.ask("GET", "me/").json()["display_name"] == "alice"

    def test_is_beaten_by_the_header(self, page, bob):
        bearer = {"Authorization": f"Bearer {bob.access}"}
        assert page.ask("GET", "me/", **bearer).json()["id"] == bob.id
        assert page.ask("PATCH", "me/", shows=False, **bearer).status_code == 200


class TestRefresh:
    def test_exchanges_cookies_for_cookies(self, page):
        before = {name: page.cookie(name).value for name in page.client.cookies}
        answer = page.ask("POST", "refresh/")
        assert answer.status_code == 200
        assert answer.json() == page.told
        assert page.cookie("refresh_token").value != before["refresh_token"]
        # Other tabs go on showing the one they have.
        assert page.cookie("csrftoken").value == before["csrftoken"]
        assert page.cookie("refresh_token")["path"] == "/api/auth/refresh/"
        assert page.ask("GET", "me/").status_code == 200

    def test_changes_nothing_without_the_csrf_token(self, page, refusal):
        hashes = set(Session.objects.values_list("refresh_hash", flat=True))
        refusal(page.ask("POST", "refresh/", shows=False), 403, "forbidden")
        refusal(page.ask("POST", "refresh/", **{"X-CSRFToken": "x"}), 403, "forbidden")
        assert set(Session.objects.values_list("refresh_hash", flat=True)) == hashes

    def test_takes_the_body_s_token_first(self, page, alice):
        answer = page.ask("POST", "refresh/", f'{{"refresh": "{alice.refresh}"}}', shows=False)
        assert set(answer.json()) == {"access", "refresh"}
        assert answer.cookies == {}

    def test_needs_one_of_them(self, api, alice, refusal):
        refusal(api.post("/api/auth/refresh/", {}), 400, "invalid")
        page = Page()
        page.client.cookies.load({"refresh_token": "", "csrftoken": "a"})
        refusal(page.ask("POST", "refresh/"), 400, "invalid")

    def test_refuses_a_bad_one(self, page, refusal):
        page.client.cookies["refresh_token"] = "x"
        refusal(page.ask("POST", "refresh/"), 401, "not_authenticated")


class TestLogout:
    @pytest.mark.parametrize("path", ["logout/", "logout-all/"])
    def test_ends_the_session_and_takes_the_cookies_back(self, page, refusal, path):
        answer = page.ask("POST", path)
        assert answer.status_code == 204
        assert {name: cookie["max-age"] for name, cookie in answer.cookies.items()} == {
            "access_token": 0,
            "refresh_token": 0,
            "csrftoken": 0,
        }
        assert answer.cookies["refresh_token"]["path"] == "/api/auth/refresh/"

    def test_needs_the_csrf_token(self, page, refusal):
        refusal(page.ask("POST", "logout/", shows=False), 403, "forbidden")
        assert page.ask("GET", "me/").status_code == 200

    def test_leaves_other_clients_alone(self, api, alice):
        assert api.post("/api/auth/logout/", token=alice.access).cookies == {}


class TestOrigins:
    @pytest.mark.parametrize("path", ["login/", "register/", "refresh/", "me/"])
    def test_of_others_are_refused(self, page, refusal, settings, path):
        settings.ALLOWED_ORIGINS = frozenset({"https://app.example.org"})
        answer = page.ask("POST", path, Origin="https://evil.example.org")
        refusal(answer, 403, "forbidden")
        assert Session.objects.count() == 2

    def test_of_ours_may_come_with_cookies(self, page, settings):
        settings.ALLOWED_ORIGINS = frozenset({"https://app.example.org"})
        answer = page.ask("GET", "me/", Origin="https://app.example.org")
        assert answer["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert answer["Access-Control-Allow-Credentials"] == "true"
