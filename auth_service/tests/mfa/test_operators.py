"""Operators with a second factor show it at the admin; and they help who lost theirs."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import SecondFactor, SecurityEvent, Session, User
from auth_service.tests.conftest import PASSWORD, Person

ADMIN = "/admin/auth/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(api, monkeypatch, new_owner):
    """Olga, with a second factor."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    given = {"username": "olga", "email": "olga@example.com"}
    call_command("createsuperuser", interactive=False, verbosity=0, **given)
    told = api.post("/api/auth/login/", {"username": "olga", "password": PASSWORD}).json()
    return new_owner(Person(told["user"]["id"], "olga", told["access"], told["refresh"]))


def sign_in(code="", username="olga", password=PASSWORD):
    client = Client()
    given = {"username": username, "password": password, "code": code, "next": ADMIN}
    return client, client.post(f"{ADMIN}login/", given, secure=True)


class TestSigningIn:
    def test_shows_everybody_a_field_for_the_code(self):
        page = Client().get(f"{ADMIN}login/", secure=True).text
        assert page.count('name="code"') == page.count('autocomplete="one-time-code"') == 1
        assert page.count('name="csrfmiddlewaretoken"') == page.count('name="next"') == 1

    @pytest.mark.parametrize("kind", ["totp", "recovery"])
    def test_takes_a_code_once(self, operator, kind):
        code = operator.code() if kind == "totp" else operator.codes[0]
        client, answer = sign_in(code)
        assert (answer.status_code, answer["Location"]) == (302, ADMIN)
        assert client.get(f"{ADMIN}accounts/user/", secure=True).status_code == 200
        assert SecurityEvent.objects.filter(event="operator.signed_in").count() == 1
        assert sign_in(code)[1].status_code == 200
        assert SecurityEvent.objects.filter(event="operator.signed_in").count() == 1

    @pytest.mark.parametrize("code", ["", "000000", "x" * 64, "x" * 65, "é"])
    def test_is_refused_without(self, operator, code):
        client, answer = sign_in(code)
        assert answer.status_code == 200
        assert set(client.cookies) == {"auth_operator_csrf"}
        assert client.get(ADMIN, secure=True).status_code == 302
        assert not SecurityEvent.objects.filter(event="operator.signed_in").exists()

    def test_says_the_same_of_a_wrong_password_and_of_a_missing_code(self, operator, api):
        def said(**given):
            return list(sign_in(**given)[1].context["form"].non_field_errors())

        assert said() == said(password="wrong password") == said(username="nobody") != []

    def test_leaves_the_code_unused_if_the_password_is_wrong(self, operator):
        code = operator.code()
        sign_in(code, password="wrong password")
        assert sign_in(code)[1].status_code == 302

    def test_counts_guesses_as_everywhere(self, operator, settings):
        settings.LIMITS = settings.LIMITS | {"CODES_PER_DAY": 2}
        for _ in range(2):
            sign_in("000000")
        assert sign_in(operator.code())[1].status_code == 200
        assert operator.answer(operator.challenge(), operator.code()).status_code == 429

    def test_needs_none_of_who_has_none(self, operator):
        operator.ask("DELETE", "", {"password": PASSWORD})
        assert sign_in()[1].status_code == 302


class TestHelpingWhoLostTheirs:
    def test_switches_it_off_and_ends_every_session(self, operator, owner, api, refusal):
        client, _ = sign_in(operator.code(1))
        alice = User.objects.get(username="alice")
        given = {"action": "reset_second_factors", "_selected_action": [alice.pk]}
        answer = client.post(f"{ADMIN}accounts/user/", given, follow=True, secure=True)
        assert answer.status_code == 200
        assert not SecondFactor.objects.filter(user=alice).exists()
        assert not Session.objects.filter(user=alice, ended_at=None).exists()
        assert owner.log_in().status_code == 200
        row = SecurityEvent.objects.get(event="mfa.disabled")
        olga = User.objects.get(username="olga")
        assert (row.user_id, row.reason) == (alice.pk, f"by operator {olga.pk}")
        refusal(operator.log_in(), 401, "mfa_required")

    def test_shows_no_secret(self, operator, owner):
        client, _ = sign_in(operator.code(1))
        alice = User.objects.get(username="alice")
        page = client.get(f"{ADMIN}accounts/user/{alice.pk}/change/", secure=True).text
        sealed = bytes(SecondFactor.objects.get(user=alice).sealed)
        assert "alice@example.com" in page
        assert owner.authenticator.secret not in page
        assert sealed.hex() not in page
