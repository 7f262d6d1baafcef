"""Proving an address by what was mailed to it."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from accounts.models import Mail, MailCode, SecurityEvent, Session, User

VERIFY, RESEND = "/api/auth/email/verify/", "/api/auth/email/resend/"
EMAIL = "alice@example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(alice, inbox):
    [mail] = inbox.deliver()
    return mail


def is_verified(username="alice"):
    return User.objects.get(username=username).email_verified_at is not None


class TestRegistering:
    def test_mails_a_code_to_the_address(self, mail):
        assert mail.to == [EMAIL]
        assert mail.message["To"] == EMAIL
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert "account alice" in mail.text
        assert mail.link.startswith("http://localhost:8000/api/auth/pages/verify-email/?token=")

    def test_mails_nothing_where_that_is_off(self, db, settings, sign_up, inbox):
        settings.EMAIL_VERIFICATION = "off"
        assert sign_up("alice").access
        assert inbox.deliver() == []

    def test_mails_nothing_for_an_account_that_is_not_made(self, mail, api, inbox):
        asked = {"username": "alice2", "email": EMAIL.upper(), "password": "correct horse battery"}
        assert api.post("/api/auth/register/", asked).status_code == 409
        assert inbox.deliver() == []
        assert not Mail.objects.exists()


class TestVerify:
    def test_confirms_the_address_by_the_code(self, mail, alice, api):
        me = "/api/auth/me/"
        assert api.get(me, token=alice.access).json()["email_verified"] is False
        answer = api.post(VERIFY, {"email": EMAIL, "code": mail.code})
        assert (answer.status_code, answer.content) == (204, b"")
        assert api.get(me, token=alice.access).json()["email_verified"] is True
        assert SecurityEvent.objects.filter(event="email.verified", user_id=alice.id).count() == 1

    def test_takes_the_code_as_people_type_it(self, mail, api):
        typed = f" {mail.code.lower().replace('-', ' ')} "
        assert api.post(VERIFY, {"email": EMAIL.title(), "code": typed}).status_code == 204
        assert is_verified()

    def test_takes_the_token_of_the_link_instead(self, mail, api):
        assert api.post(VERIFY, {"token": mail.token}).status_code == 204
        assert is_verified()

    def test_needs_no_address_from_whoever_is_logged_in(self, mail, alice, api):
        assert api.post(VERIFY, {"code": mail.code}, token=alice.access).status_code == 204
        assert is_verified()

    @pytest.mark.parametrize("again", ["code", "token"])
    def test_is_for_once(self, mail, api, refusal, again):
        api.post(VERIFY, {"email": EMAIL, "code": mail.code})
        ways = {"code": {"email": EMAIL, "code": mail.code}, "token": {"token": mail.token}}
        told = refusal(api.post(VERIFY, ways[again]), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["code"]

    @pytest.mark.parametrize(("minutes", "status"), [(59, 204), (61, 400)])
    def test_is_for_an_hour(self, mail, api, minutes, status):
        MailCode.objects.update(expires_at=F("expires_at") - timedelta(minutes=minutes))
        assert api.post(VERIFY, {"email": EMAIL, "code": mail.code}).status_code == status
        assert is_verified() is (status == 204)

    def test_is_not_for_another_account(self, mail, bob, api, inbox, refusal):
        refusal(api.post(VERIFY, {"email": "bob@example.com", "code": mail.code}), 400, "invalid")
        refusal(api.post(VERIFY, {"code": mail.code}, token=bob.access), 400, "invalid")
        assert not is_verified("bob")
        assert api.post(VERIFY, {"email": EMAIL, "code": mail.code}).status_code == 204

    def test_is_not_for_another_purpose(self, mail, api, refusal):
        path = "/api/auth/password/reset/confirm/"
        asked = {"new_password": "wrong horse staple"}
        by_code = asked | {"email": EMAIL, "code": mail.code}
        refusal(api.post(path, by_code), 400, "invalid")
        refusal(api.post(path, asked | {"token": mail.token}), 400, "invalid")
        assert not is_verified()

    def test_is_not_for_the_deactivated(self, mail, api, refusal):
        User.objects.update(is_active=False)
        refusal(api.post(VERIFY, {"token": mail.token}), 400, "invalid")
        assert not is_verified()

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({}, "code"),
            ({"code": "AAAA-AAAA"}, "email"),
            ({"email": EMAIL}, "code"),
            ({"email": EMAIL, "code": "A" * 33}, "code"),
            ({"email": EMAIL, "code": " "}, "code"),
            ({"email": EMAIL, "code": 12345678}, "code"),
            ({"email": EMAIL, "code": "AAAA-AAAA", "token": "A"}, "code"),
            ({"token": "A" * 65}, "token"),
            ({"email": "alice", "code": "AAAA-AAAA"}, "email"),
        ],
    )
    def test_refuses_and_changes_nothing(self, mail, api, refusal, asked, field):
        told = refusal(api.post(VERIFY, asked), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]
        assert not is_verified()
        assert MailCode.objects.count() == 1

    def test_keeps_only_hashes(self, mail):
        [kept] = MailCode.objects.values()
        assert not Mail.objects.exists()
        shown = repr(kept)
        assert mail.token not in shown
        assert mail.code.replace("-", "") not in shown


class TestResend:
    def test_mails_another_code_and_the_first_still_holds(self, mail, api, inbox):
        assert api.post(RESEND, {"email": EMAIL}).status_code == 202
        [second] = inbox.deliver()
        assert second.code != mail.code
        assert api.post(VERIFY, {"email": EMAIL, "code": mail.code}).status_code == 204
        assert api.post(VERIFY, {"email": EMAIL, "code": second.code}).status_code == 400

    def test_needs_no_address_from_whoever_is_logged_in(self, mail, alice, api, inbox, refusal):
        assert api.post(RESEND, {}, token=alice.access).status_code == 202
        assert [mail.to for mail in inbox.deliver()] == [[EMAIL]]
        refusal(api.post(RESEND, {}), 400, "invalid")

    def test_mails_nothing_to_an_address_that_is_confirmed(self, mail, api, inbox):
        api.post(VERIFY, {"token": mail.token})
        assert api.post(RESEND, {"email": EMAIL}).status_code == 202
        assert inbox.deliver() == []
        assert not Mail.objects.exists()


class TestRequired:
    @pytest.fixture
    def required(self, db, settings, api, inbox):
        settings.EMAIL_VERIFICATION = "required"
        asked = {"username": "alice", "email": EMAIL, "password": "correct horse battery"}
        return api.post("/api/auth/register/", asked)

    def log_in(self, api, password=None):
        asked = {"username": "alice", "password": password or "correct horse battery"}
        return api.post("/api/auth/login/", asked)

    def test_registering_opens_no_session(self, required):
        told = required.json()
        assert required.status_code == 201
        assert (told["access"], told["refresh"]) == (None, None)
        assert told["user"]["email_verified"] is False
        assert not Session.objects.exists()

    def test_nobody_logs_in_before_the_address_is_confirmed(self, required, api, inbox, refusal):
        told = refusal(self.log_in(api), 403, "forbidden")
        assert told["errors"][0]["code"] == "unverified"
        assert not Session.objects.exists()
        [mail] = inbox.deliver()
        assert api.post(VERIFY, {"email": EMAIL, "code": mail.code}).status_code == 204
        assert self.log_in(api).status_code == 200

    def test_only_whoever_knows_the_password_hears_of_it(self, required, api, refusal):
        refusal(self.log_in(api, "wrong password"), 401, "not_authenticated")

    def test_a_page_of_the_link_does_it_too(self, required, api, inbox):
        [mail] = inbox.deliver()
        path = mail.link.removeprefix("http://localhost:8000")
        assert Client().post(path.partition("?")[0], {"token": mail.token}).status_code == 200
        assert self.log_in(api).status_code == 200
