"""The pages that links in mails lead to."""

import re

import pytest
from django.test import Client

from accounts.models import MailCode, User

ORIGIN = "http://localhost:8000"
EMAIL = "alice@example.com"
NEW = "wrong horse staple"

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


@pytest.fixture(params=["verify", "reset"])
def mail(request, alice, api, inbox):
    [mail] = inbox.deliver()
    if request.param == "reset":
        api.post("/api/auth/password/reset/", {"email": EMAIL})
        [mail] = inbox.deliver()
    return mail


def path_of(mail):
    return mail.link.removeprefix(ORIGIN)


def submit(browser, page, **changed):
    """Send the form as a browser does: its fields, to its own address, with its origin."""
    fields = re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', page.content.decode())
    typed = {"new_password": NEW} if b'name="new_password"' in page.content else {}
    where = page.wsgi_request.get_full_path()
    return browser.post(where, dict(fields) | typed | changed, headers={"Origin": ORIGIN})


def state():
    return list(User.objects.values()), list(MailCode.objects.values())


class TestPages:
    def test_change_nothing_until_a_person_says_so(self, mail, browser):
        """Programs that look at mails open links, and some ask for the head alone."""
        before = state()
        for ask in (browser.get, browser.head, browser.get):
            assert ask(path_of(mail)).status_code == 200
        assert state() == before
        assert submit(browser, browser.get(path_of(mail))).status_code == 200
        assert state() != before

    def test_do_what_their_mail_is_about(self, mail, browser, api):
        answer = submit(browser, browser.get(path_of(mail)))
        assert b"<form" not in answer.content
        alice = User.objects.get()
        assert alice.email_verified_at is not None
        assert alice.check_password(NEW) is ("reset-password" in mail.link)

    def test_work_once(self, mail, browser):
        page = browser.get(path_of(mail))
        submit(browser, page)
        before = state()
        again = submit(browser, page, new_password="another horse staple")
        assert again.status_code == 400
        assert b"was used" in again.content
        assert state() == before

    def test_tell_their_address_to_nobody_and_run_nothing(self, mail, browser):
        page = browser.get(path_of(mail))
        policy = page["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in policy
        # The gateway says no-referrer, with which a browser would send `Origin: null`; the page's
        # own word counts for more, and leaves but the origin in a Referer.
        assert b'<meta name="referrer" content="strict-origin">' in page.content
        assert page["Referrer-Policy"] == "strict-origin"
        assert page["Cache-Control"] == "no-store"
        assert page["X-Frame-Options"] == "DENY"
        assert not re.search(rb"<script|src=|href=|url\(", page.content)

    def test_show_what_is_in_their_address_as_text(self, mail, browser):
        path = path_of(mail).partition("?")[0]
        page = browser.get(path, {"token": '"><script>alert(1)</script>'})
        assert b"<script" not in page.content
        assert submit(browser, page).status_code == 400

    def test_refuse_what_is_not_theirs(self, mail, browser):
        path = path_of(mail).partition("?")[0]
        before = state()
        for fields in ({}, {"token": ""}, {"token": "A" * 43}, {"token": "A" * 65}):
            answer = browser.post(path, fields | {"new_password": NEW})
            assert answer.status_code == 400
            assert answer["Content-Type"].startswith("text/html")
        foreign = {"Origin": "https://evil.example"}
        assert browser.post(path, {"token": mail.token}, headers=foreign).status_code == 403
        assert browser.put(path).status_code == 405
        assert state() == before


class TestResetPage:
    @pytest.mark.parametrize("mail", ["reset"], indirect=True)
    def test_says_what_is_wrong_with_a_password_and_keeps_the_form(self, mail, browser):
        page = browser.get(path_of(mail))
        for weak in ("", "short12", "iloveyou1", "alice@example.com"):
            answer = submit(browser, page, new_password=weak)
            assert answer.status_code == 400
            assert b'name="new_password"' in answer.content
        assert submit(browser, answer).status_code == 200
        assert User.objects.get().check_password(NEW)
