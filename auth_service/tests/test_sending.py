"""What is to be mailed is sent, or given up: with a mail server that refuses, is away, or dies."""

from datetime import timedelta
from smtplib import SMTPSenderRefused

import pytest
from django.core.mail import EmailMessage
from django.db.models import F

from accounts.actions.mails import forget_mails, mail_code, tell_owner
from accounts.actions.sending import send_next_mail
from accounts.letters import NOTICES, Notice
from accounts.models import Mail, MailCode, User
from service_kit.addresses import caller_address

EMAIL = "alice@example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(alice, inbox):
    inbox.deliver()
    return User.objects.get()


@pytest.fixture
def told(person):
    tell_owner(Notice.PASSWORD_CHANGED, user=person)


def later(**passed):
    Mail.objects.update(
        due_at=F("due_at") - timedelta(**passed), created_at=F("created_at") - timedelta(**passed)
    )


class TestNotices:
    def test_say_what_happened_to_which_account_when_and_from_where(self, person, inbox):
        before = caller_address.set("203.0.113.9")
        for notice in Notice:
            tell_owner(notice, user=person)
        caller_address.reset(before)
        for notice, mail in zip(Notice, inbox.deliver(), strict=True):
            assert mail.to == [EMAIL]
            assert mail.message["Subject"] == NOTICES[notice][0]
            assert mail.text.startswith(NOTICES[notice][1])
            for fact in ("alice", "203.0.113.9", " UTC"):
                assert fact in mail.text

    def test_reach_who_is_no_more(self, person, inbox):
        tell_owner(Notice.ACCOUNT_ERASED, user=person)
        User.objects.all().delete()
        assert [mail.to for mail in inbox.deliver()] == [[EMAIL]]

    def test_follow_a_change_of_password(self, person, alice, api, inbox):
        asked = {"current_password": "wrong", "new_password": "wrong horse staple"}
        api.post("/api/auth/password/change/", asked, token=alice.access)
        assert inbox.deliver() == []
        right = asked | {"current_password": "correct horse battery"}
        api.post("/api/auth/password/change/", right, token=alice.access)
        assert [mail.message["Subject"] for mail in inbox.deliver()] == [
            NOTICES[Notice.PASSWORD_CHANGED][0]
        ]

    def test_follow_a_refresh_token_that_was_used_twice(self, person, alice, api, inbox):
        newest = api.post("/api/auth/refresh/", {"refresh": alice.refresh}).json()["refresh"]
        api.post("/api/auth/refresh/", {"refresh": newest})
        assert inbox.deliver() == []
        api.post("/api/auth/refresh/", {"refresh": alice.refresh})
        assert [mail.message["Subject"] for mail in inbox.deliver()] == [
            NOTICES[Notice.REFRESH_REPLAYED][0]
        ]

    def test_are_forgotten_with_whatever_else_was_to_be_sent(self, person, bob, told, inbox):
        mail_code(MailCode.RESET, address=EMAIL.upper())
        forget_mails(user=person)
        assert [mail.to for mail in inbox.deliver()] == [["bob@example.com"]]


class TestFailing:
    def test_a_server_that_is_away_gets_it_later(self, told, inbox, settings, smtp):
        settings.EMAIL_PORT = 9
        with pytest.raises(OSError, match="refused"):
            send_next_mail()
        settings.EMAIL_PORT = smtp.port
        assert inbox.deliver() == []
        later(minutes=1)
        assert inbox.deliver() == []
        later(minutes=1)
        assert len(inbox.deliver()) == 1
        assert not Mail.objects.exists()

    def test_it_is_tried_ever_more_seldom(self, told, inbox):
        inbox.refuses_rcpt = "451 Later"
        waits = []
        for _ in range(8):
            Mail.objects.update(due_at=F("created_at"))
            assert send_next_mail()
            mail = Mail.objects.get()
            waits.append(round((mail.due_at - mail.created_at).total_seconds() / 60))
        assert waits == [2, 4, 8, 16, 32, 60, 60, 60]

    def test_what_waits_holds_up_nothing_else(self, told, person, inbox):
        inbox.refuses_rcpt = "451 Later"
        assert inbox.deliver() == []
        inbox.refuses_rcpt = ""
        tell_owner(Notice.SECOND_FACTOR_ON, user=person)
        assert len(inbox.deliver()) == 1

    @pytest.mark.parametrize(
        ("kind", "passed", "is_sent"),
        [
            (MailCode.RESET, timedelta(minutes=59), True),
            (MailCode.RESET, timedelta(minutes=61), False),
            (Notice.PASSWORD_CHANGED, timedelta(hours=23), True),
            (Notice.PASSWORD_CHANGED, timedelta(hours=25), False),
        ],
    )
    def test_it_is_given_up_after_a_while(self, person, inbox, kind, passed, is_sent):
        Mail.objects.create(kind=kind, address=EMAIL)
        Mail.objects.update(created_at=F("created_at") - passed)
        assert len(inbox.deliver()) == is_sent
        assert not Mail.objects.exists()

    @pytest.mark.parametrize("refuses", ["refuses_rcpt", "refuses_data"])
    def test_what_is_refused_for_now_is_kept_and_for_good_is_dropped(self, told, inbox, refuses):
        setattr(inbox, refuses, "451 Later")
        assert inbox.deliver() == []
        assert Mail.objects.count() == 1
        setattr(inbox, refuses, "550 No such user")
        later(minutes=2)
        assert inbox.deliver() == []
        assert not Mail.objects.exists()

    def test_where_no_server_is_named_nothing_waits(self, told, inbox, settings):
        mail_code(MailCode.RESET, address=EMAIL)
        settings.SENDS_MAIL = False
        before = MailCode.objects.count()
        assert inbox.deliver() == []
        assert not Mail.objects.exists()
        assert MailCode.objects.count() == before

    def test_who_dies_while_sending_leaves_it_to_the_next(self, told, inbox, monkeypatch):
        def die(self):
            raise SystemExit

        with monkeypatch.context() as broken:
            broken.setattr(EmailMessage, "send", die)
            with pytest.raises(SystemExit):
                send_next_mail()
        later(minutes=2)
        assert len(inbox.deliver()) == 1

    def test_a_server_that_lets_us_send_nothing_is_no_fault_of_the_mail(self, told, inbox):
        inbox.refuses_mail = "530 Who are you?"
        with pytest.raises(SMTPSenderRefused):
            send_next_mail()
        assert Mail.objects.count() == 1


class TestAddresses:
    """Those of accounts made before there were rules, or by hand."""

    def test_that_are_none_are_dropped(self, person, inbox):
        for address in (
            "alice@example.com\r\nBcc: eve@example.org",
            "alice@example.com\nX-Evil: 1",
            "alice@example.com, eve@example.org",
            "",
        ):
            Mail.objects.create(kind=Notice.PASSWORD_CHANGED, username="alice", address=address)
        assert inbox.deliver() == []
        assert not Mail.objects.exists()

    def test_of_other_scripts_are_sent_as_ascii(self, db, sign_up, inbox):
        sign_up("jose", email="jose@b\u00fccher.example")
        assert [mail.to for mail in inbox.deliver()] == [["jose@xn--bcher-kva.example"]]

    def test_of_254_characters_get_mails(self, db, sign_up, inbox):
        domain = ".".join(["d" * 61] * 3) + ".example"
        address = "a" * (253 - len(domain)) + "@" + domain
        sign_up("long", email=address)
        [mail] = inbox.deliver()
        assert (len(address), mail.to) == (254, [address])

    def test_nothing_a_person_wrote_is_in_a_mail(self, db, sign_up, inbox):
        sign_up("mallory", display_name="Your bank: https://evil.example")
        [mail] = inbox.deliver()
        assert "evil" not in mail.message.as_string()


class TestLog:
    def test_holds_no_code_and_no_address(self, person, api, inbox, caplog):
        api.post("/api/auth/password/reset/", {"email": EMAIL})
        [mail] = inbox.deliver()
        api.client.get(mail.link.removeprefix("http://localhost:8000"))
        asked = {"email": EMAIL, "code": mail.code, "new_password": "wrong horse staple"}
        api.post("/api/auth/password/reset/confirm/", asked)
        ours = [str(vars(line)) for line in caplog.records if line.name != "mail.log"]
        assert any("mail sent" in line for line in ours)
        for secret in (mail.code, mail.token, EMAIL):
            assert not any(secret in line for line in ours if "django.request" not in line)
