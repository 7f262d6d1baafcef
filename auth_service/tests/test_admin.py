"""Operators see accounts and what became of them, and close and open them."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from accounts.models import Event, SecurityEvent, Session, User

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


def page(path):
    return f"/admin/auth/{path}"


@pytest.fixture
def operator(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    given = {"username": "olga", "email": "olga@example.com"}
    call_command("createsuperuser", interactive=False, verbosity=0, **given)
    return User.objects.get(username="olga")


@pytest.fixture
def browser(operator):
    client = Client()
    answer = sign_in(client, "olga", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, page(""))
    return client


def sign_in(client, username, password):
    given = {"username": username, "password": password, "next": page("")}
    return client.post(page("login/"), given, secure=True)


def choose(browser, action, user_id):
    given = {"action": action, "_selected_action": [user_id]}
    return browser.post(page("accounts/user/"), given, follow=True)


class TestSigningIn:
    def test_is_for_staff(self, browser):
        cookie = browser.cookies["auth_operator"]
        assert (cookie["path"], cookie["samesite"]) == ("/admin/auth/", "Strict")
        assert (cookie["httponly"], cookie["secure"]) == (True, True)
        assert "accounts/securityevent/" in browser.get(page("")).text
        assert SecurityEvent.objects.filter(event="operator.signed_in").count() == 1

    def test_is_not_for_people(self, alice, api):
        answer = sign_in(Client(), "alice", PASSWORD)
        assert answer.status_code == 200
        assert answer.cookies.keys() == {"auth_operator_csrf"}
        denied = SecurityEvent.objects.get(event="access.denied")
        assert (str(denied.user_id), denied.address) == (alice.id, "127.0.0.1")
        assert api.get(page("accounts/user/"), token=alice.access).status_code == 302

    def test_is_not_for_who_was_deactivated(self, browser, operator):
        User.objects.filter(pk=operator.pk).update(is_active=False)
        assert browser.get(page("")).status_code == 302
        assert sign_in(Client(), "olga", PASSWORD).status_code == 200

    def test_counts_wrong_passwords_as_everywhere(self, operator, settings):
        settings.LIMITS = settings.LIMITS | {"LOGINS_PER_MINUTE": 2}
        assert [sign_in(Client(), "olga", "wrong").status_code for _ in range(2)] == [200] * 2
        assert sign_in(Client(), "olga", PASSWORD).status_code == 200
        failed = SecurityEvent.objects.filter(event="login.failed", user_id=operator.pk)
        assert failed.count() == 2

    def test_needs_the_form_s_token(self, operator):
        given = {"username": "olga", "password": PASSWORD}
        assert Client(enforce_csrf_checks=True).post(page("login/"), given).status_code == 403

    def test_opens_no_session_of_the_api(self, browser):
        assert browser.get("/api/auth/me/").status_code == 401
        assert not Session.objects.exists()


class TestPages:
    def test_have_their_style(self, browser):
        assert f'href="{settings.STATIC_URL}admin/css/base.css"' in browser.get(page("")).text
        answer = browser.get(f"{settings.STATIC_URL}admin/css/base.css")
        assert b"".join(answer.streaming_content)

    def test_show_people_without_their_secrets(self, browser, alice):
        shown = browser.get(page(f"accounts/user/{alice.id}/change/")).text
        assert "alice@example.com" in shown
        assert "argon2" not in shown
        session = Session.objects.get()
        shown = browser.get(page(f"accounts/session/{session.pk}/change/")).text
        assert "alice" in shown
        assert "hash" not in shown.lower()

    def test_filter_security_events(self, browser, api, alice, bob):
        api.post("/api/auth/login/", {"username": "alice", "password": "wrong password"})
        events = page("accounts/securityevent/")

        def rows(**query):
            return browser.get(events, query).context["cl"].result_list

        assert {row.event for row in rows(event="login.failed")} == {"login.failed"}
        assert {str(row.user_id) for row in rows(q=alice.id)} == {alice.id}
        assert {str(row.user_id) for row in rows(q=bob.id)} == {bob.id}
        assert len(rows(q="127.0.0.1")) >= 3
        assert len(rows(q="192.0.2.1")) == len(rows(q="nobody")) == 0
        session = Session.objects.get(user_id=alice.id)
        assert [row.event for row in rows(q=str(session.pk))] == ["account.registered"]

    @pytest.mark.parametrize("table", ["user", "session", "securityevent"])
    def test_change_nothing(self, browser, alice, table):
        keys = {
            "user": alice.id,
            "session": Session.objects.get().pk,
            "securityevent": SecurityEvent.objects.latest("pk").pk,
        }
        before = [list(model.objects.values()) for model in (User, Session, SecurityEvent)]
        for act in ("change/", "delete/"):
            answer = browser.post(page(f"accounts/{table}/{keys[table]}/{act}"), {"post": "yes"})
            assert answer.status_code == 403
        assert browser.get(page(f"accounts/{table}/add/")).status_code == 403
        assert [list(m.objects.values()) for m in (User, Session, SecurityEvent)] == before


class TestClosingAnAccount:
    def test_ends_its_sessions_and_tells_the_other_service(
        self, browser, operator, api, alice, refusal
    ):
        assert choose(browser, "deactivate_accounts", alice.id).status_code == 200
        assert not User.objects.get(pk=alice.id).is_active
        refusal(api.get("/api/auth/me/", token=alice.access), 401, "session_revoked")
        assert set(Event.objects.values_list("type", flat=True)) == {
            "sessions.ended",
            "user.changed",
        }
        closed = SecurityEvent.objects.get(event="account.deactivated")
        assert (str(closed.user_id), closed.reason) == (alice.id, f"by operator {operator.pk}")

    def test_can_be_undone(self, browser, api, alice):
        choose(browser, "deactivate_accounts", alice.id)
        choose(browser, "reactivate_accounts", alice.id)
        login = {"username": "alice", "password": PASSWORD}
        assert api.post("/api/auth/login/", login).status_code == 200
        assert SecurityEvent.objects.filter(event="account.reactivated").count() == 1
