"""How often mails may be asked for, and codes guessed, and that nobody is kept out by others."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from accounts.models import Attempts, Mail, MailCode, User

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
LIMITS = {
    "MAILS_PER_HOUR": 2,
    "MAILS_PER_ADDRESS": 4,
    "MAILS_BY_STRANGERS": 3,
    "LOGINS_PER_MINUTE": 3,
    "LOGINS_PER_ADDRESS": 6,
    "LOGINS_BY_STRANGERS": 8,
}
RESET, CONFIRM, VERIFY = "password/reset/", "password/reset/confirm/", "email/verify/"
ASK = ("password/reset/", "email/resend/")
EMAIL = "alice@example.com"
WRONG = "AAAA-AAAA"
NEW = "wrong horse staple"

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(alice, bob, settings, inbox):
    inbox.deliver()
    settings.LIMITS = settings.LIMITS | LIMITS
    Attempts.objects.all().delete()


def later(seconds):
    Attempts.objects.update(used_until=F("used_until") - timedelta(seconds=seconds))


def post(path, body, address=HOME):
    return Client(REMOTE_ADDR=address).post(f"/api/auth/{path}", body, "application/json")


def ask(email=EMAIL, address=HOME, path=RESET):
    return post(path, {"email": email}, address).status_code


def guess(path=CONFIRM, address=HOME, email=EMAIL, code=WRONG):
    fields = {"email": email, "code": code} | ({"new_password": NEW} if path == CONFIRM else {})
    return post(path, fields, address).status_code


class TestAsking:
    @pytest.mark.parametrize("path", ASK)
    def test_is_limited_for_an_address_of_mail(self, limits, refusal, path):
        assert [ask(path=path) for _ in range(2)] == [202] * 2
        written = Mail.objects.count()
        answer = post(path, {"email": EMAIL.upper()})
        refusal(answer, 429, "rate_limited")
        assert 1_770 < int(answer["Retry-After"]) <= 1_800
        assert Mail.objects.count() == written
        later(1800)
        assert ask(path=path) == 202

    def test_counts_both_kinds_together(self, limits):
        assert [ask(path=path) for path in (*ASK, *ASK)] == [202, 202, 429, 429]

    def test_treats_an_address_nobody_has_alike(self, limits):
        known = [ask() for _ in range(3)]
        Attempts.objects.all().delete()
        assert [ask("nobody@example.com") for _ in range(3)] == known == [202, 202, 429]

    def test_is_limited_for_a_place_over_all_addresses(self, limits):
        assert [ask(f"{n}@example.com") for n in range(5)] == [202] * 4 + [429]
        assert ask("9@example.com", ELSEWHERE) == 202

    def test_is_limited_for_strangers_and_not_for_whoever_was_here(self, limits):
        tried = [ask(address=f"203.0.113.{n}") for n in range(4)]
        assert tried == [202, 202, 202, 429]
        assert ask(address="127.0.0.1") == 202


class TestGuessing:
    @pytest.mark.parametrize("path", [CONFIRM, VERIFY])
    def test_is_limited_for_an_account(self, limits, inbox, path):
        post(RESET if path == CONFIRM else "email/resend/", {"email": EMAIL})
        [mail] = inbox.deliver()
        assert [guess(path) for _ in range(3)] == [400] * 3
        # Now the right one is refused as well, and nothing is done.
        before = User.objects.values().get(username="alice"), MailCode.objects.count()
        assert guess(path, code=mail.code) == 429
        assert before == (User.objects.values().get(username="alice"), MailCode.objects.count())
        later(20)
        assert guess(path, code=mail.code) == 204

    def test_counts_both_kinds_of_code_together(self, limits):
        assert [guess(path) for path in (CONFIRM, VERIFY, CONFIRM, VERIFY)] == [400] * 3 + [429]

    def test_treats_an_address_nobody_has_alike(self, limits):
        known = [guess() for _ in range(4)]
        Attempts.objects.all().delete()
        assert [guess(email="nobody@example.com") for _ in range(4)] == known
        assert known == [400, 400, 400, 429]

    def test_is_limited_for_a_place_over_all_accounts(self, limits):
        tried = [guess(email=f"{n}@example.com") for n in range(7)]
        assert tried == [400] * 6 + [429]

    def test_by_strangers_keeps_out_nobody_who_was_here(self, limits, inbox):
        post(RESET, {"email": EMAIL})
        [mail] = inbox.deliver()
        tried = [guess(address=f"203.0.113.{n}") for n in range(9)]
        assert tried == [400] * 8 + [429]
        assert guess(address="127.0.0.1", code=mail.code) == 204

    def test_of_links_is_limited_for_a_place_and_for_nobody_else(self, limits, inbox):
        post(RESET, {"email": EMAIL})
        [mail] = inbox.deliver()
        fields = {"token": "A" * 43, "new_password": NEW}
        tried = [post(CONFIRM, fields).status_code for _ in range(7)]
        assert tried == [400] * 6 + [429]
        right = fields | {"token": mail.token}
        assert post(CONFIRM, right).status_code == 429
        page = Client(REMOTE_ADDR=HOME).post("/api/auth/pages/reset-password/", right)
        assert (page.status_code, page["Retry-After"]) == (429, "10")
        assert post(CONFIRM, right, ELSEWHERE).status_code == 204

    def test_counts_no_right_one(self, limits, inbox):
        for _ in range(2):
            post(RESET, {"email": EMAIL})
        mails = inbox.deliver()
        assert guess(code=mails[1].code) == 204
        assert [guess() for _ in range(4)] == [400] * 3 + [429]
