"""Switching the second factor on and off, and who may."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
import segno
from django.core import management
from django.db.models import F

from accounts.keys.files import root_key
from accounts.models import (
    Event,
    LoginChallenge,
    Mail,
    RecoveryCode,
    SecondFactor,
    SecurityEvent,
    Session,
    User,
)
from auth_service.tests.conftest import PASSWORD
from auth_service.tests.mfa.authenticator import Authenticator
from auth_service.tests.mfa.conftest import Owner

# What a QR code has around it, in dots.
MARGIN = 4

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(api, clock, alice):
    """Alice, logged in and without a second factor."""
    return Owner(api, clock, "alice", alice.access)


@pytest.fixture
def state(alice):
    def read():
        user = User.objects.get(pk=alice.id)
        factor = SecondFactor.objects.filter(user=user).first()
        hashes = sorted(bytes(code.code_hash) for code in RecoveryCode.objects.filter(user=user))
        ended = list(Session.objects.order_by("pk").values_list("ended_at", flat=True))
        return user.mfa_enabled_at, factor and bytes(factor.sealed), hashes, ended

    return read


def age(minutes):
    Session.objects.update(created_at=F("created_at") - timedelta(minutes=minutes))


def told():
    kinds = SecurityEvent.objects.exclude(event="account.registered").order_by("pk")
    return [(row.event, row.reason) for row in kinds]


def mailed():
    return [mail.kind for mail in Mail.objects.filter(kind__contains=".").order_by("pk")]


def dots(picture):
    """Read the dark dots of a QR code from its lines, without its margin."""
    [path] = (part.attrib["d"] for part in picture.iter() if "d" in part.attrib)
    found, x, y = set(), 0, 0.0
    for kind, right, down in re.findall(r"([Mmh])(-?\d+)(?: (-?[\d.]+))?", path):
        if kind == "h":
            found |= {(x + step - MARGIN, int(y) - MARGIN) for step in range(int(right))}
        y = float(down) if kind == "M" else y + float(down or 0)
        x = int(right) if kind == "M" else x + int(right)
    return found


class TestBeginning:
    def test_gives_what_an_authenticator_needs(self, newcomer):
        answer = newcomer.begin()
        told = answer.json()
        url = urlsplit(told["otpauth_url"])
        assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", "/Parley:alice")
        assert parse_qs(url.query) == {
            "secret": [told["secret"]],
            "issuer": ["Parley"],
            "algorithm": ["SHA1"],
            "digits": ["6"],
            "period": ["30"],
        }
        assert len(told["secret"]) == 32
        assert answer["Cache-Control"] == "no-store"

    def test_draws_the_same_as_a_picture_that_runs_nothing(self, newcomer):
        told = newcomer.begin().json()
        kind, _, text = told["qr_code"].partition(",")
        picture = ET.fromstring(unquote(text))  # noqa: S314 - our own
        assert kind == "data:image/svg+xml;charset=utf-8"
        assert [part.tag.rpartition("}")[2] for part in picture.iter()] == ["svg", "path"]
        assert dots(picture) == {
            (x, y)
            for y, row in enumerate(segno.make_qr(told["otpauth_url"]).matrix)
            for x, dot in enumerate(row)
            if dot
        }

    def test_needs_no_body(self, newcomer):
        assert newcomer.ask("POST", "").status_code == 200

    def test_asks_for_no_code_yet(self, newcomer):
        newcomer.begin()
        assert newcomer.enabled() is False
        assert newcomer.log_in().status_code == 200

    def test_makes_another_secret_each_time(self, newcomer, refusal):
        newcomer.begin()
        old = newcomer.code()
        newcomer.begin()
        refusal(newcomer.confirm(old), 400, "invalid")
        assert newcomer.confirm().status_code == 200

    def test_keeps_nothing_that_can_be_read(self, newcomer):
        newcomer.begin()
        secret = Authenticator(newcomer.authenticator.secret)
        kept = bytes(SecondFactor.objects.get().sealed)
        assert secret.secret.encode() not in kept
        assert secret.key not in kept

    @pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10.1, 400)])
    def test_needs_the_password_when_the_login_was_long_ago(self, newcomer, minutes, status):
        age(minutes)
        answer = newcomer.begin()
        assert answer.status_code == status
        assert SecondFactor.objects.exists() is (status == 200)
        if status == 400:
            [error] = answer.json()["errors"]
            assert (error["field"], error["code"]) == ("password", "required")
            assert newcomer.begin({"password": PASSWORD}).status_code == 200

    def test_refuses_a_wrong_password_however_new_the_session(self, newcomer, refusal):
        told = refusal(newcomer.begin({"password": "wrong"}), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["password"]
        assert not SecondFactor.objects.exists()

    def test_is_refused_when_it_is_on(self, owner, refusal, state):
        before = state()
        refusal(owner.begin(), 409, "conflict")
        assert state() == before


class TestConfirming:
    def test_switches_it_on_and_shows_recovery_codes_once(self, newcomer):
        newcomer.begin()
        answer = newcomer.confirm()
        codes = answer.json()["recovery_codes"]
        assert answer["Cache-Control"] == "no-store"
        assert len(set(codes)) == 10
        assert {len(code) for code in codes} == {19}
        kept = b"".join(bytes(code.code_hash) for code in RecoveryCode.objects.all())
        assert not any(code.replace("-", "").upper().encode() in kept for code in codes)
        assert newcomer.enabled() is True
        assert newcomer.log_in().json()["code"] == "mfa_required"

    def test_ends_the_other_sessions(self, newcomer, alice, api, bob, refusal):
        other = newcomer.log_in().json()
        newcomer.begin()
        newcomer.confirm()
        refusal(api.get("/api/auth/me/", token=other["access"]), 401, "session_revoked")
        assert newcomer.enabled() is True
        event = Event.objects.get(type="sessions.ended")
        assert event.data["reason"] == "mfa_enabled"
        assert len(event.data["sids"]) == 1
        assert api.get("/api/auth/me/", token=bob.access).status_code == 200

    def test_is_recorded_and_mailed(self, newcomer):
        newcomer.begin()
        newcomer.confirm()
        assert told() == [("mfa.enabled", "")]
        assert mailed() == ["second_factor.on"]

    @pytest.mark.parametrize("steps", [-2, 2])
    def test_takes_no_code_of_another_time(self, newcomer, refusal, state, steps):
        newcomer.begin()
        before = state()
        told = refusal(newcomer.confirm(newcomer.code(steps)), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["code"]
        assert state() == before

    def test_comes_after_beginning_and_not_twice(self, newcomer, refusal, state):
        refusal(newcomer.confirm("123456"), 409, "conflict")
        newcomer.begin()
        newcomer.confirm()
        newcomer.clock.step()
        before = state()
        refusal(newcomer.confirm(newcomer.code()), 409, "conflict")
        assert state() == before

    def test_uses_its_code_up(self, newcomer, refusal):
        newcomer.begin()
        used = newcomer.code()
        newcomer.confirm()
        refusal(newcomer.answer(newcomer.challenge(), used), 401, "not_authenticated")

    def test_refuses_what_is_no_code(self, newcomer, refusal):
        newcomer.begin()
        for code in (None, "", 123456, True, [], {}, "1" * 65, "12\0456", "\ud800", ["123456"]):
            refusal(newcomer.ask("POST", "confirm/", {"code": code}), 400, "invalid")
        assert newcomer.enabled() is False


class TestSwitchingOff:
    def test_needs_the_password(self, owner, refusal, state):
        before = state()
        for body in ({"password": "wrong"}, {"password": ""}, {}, {"code": owner.code()}):
            told = refusal(owner.ask("DELETE", "", body), 400, "invalid")
            assert [error["field"] for error in told["errors"]] == ["password"]
        assert state() == before

    def test_leaves_nothing_behind(self, owner, api):
        challenge = owner.challenge()
        owner.clock.step()
        other = owner.answer(owner.challenge(), owner.code()).json()
        answer = owner.ask("DELETE", "", {"password": PASSWORD})
        assert (answer.status_code, answer.content) == (204, b"")
        for kept in (SecondFactor, RecoveryCode, LoginChallenge):
            assert not kept.objects.exists()
        assert owner.enabled() is False
        assert owner.log_in().status_code == 200
        assert owner.answer(challenge, owner.code(1)).status_code == 401
        assert api.get("/api/auth/me/", token=other["access"]).status_code == 401
        assert ("mfa.disabled", "") in told()
        assert mailed() == ["second_factor.on", "second_factor.off"]

    def test_forgets_a_secret_that_was_not_confirmed(self, newcomer):
        newcomer.begin()
        code = newcomer.code()
        for _ in range(2):
            assert newcomer.ask("DELETE", "", {"password": PASSWORD}).status_code == 204
        assert newcomer.confirm(code).status_code == 409
        assert (told(), mailed()) == ([], [])

    def test_lets_it_be_switched_on_anew(self, owner, refusal):
        old, codes = owner.authenticator, owner.codes
        owner.ask("DELETE", "", {"password": PASSWORD})
        owner.begin()
        owner.confirm()
        owner.clock.step()
        challenge = owner.challenge()
        refusal(owner.answer(challenge, old.code(owner.clock.now)), 401, "not_authenticated")
        refusal(owner.answer(challenge, codes[0]), 401, "not_authenticated")
        assert owner.answer(challenge, owner.code()).status_code == 200

    def test_counts_wrong_passwords_as_everywhere(self, owner, settings):
        settings.LIMITS = settings.LIMITS | {"LOGINS_PER_MINUTE": 2}
        tries = [owner.ask("DELETE", "", {"password": "wrong"}).status_code for _ in range(3)]
        assert tries == [400, 400, 429]
        assert owner.log_in().status_code == 429


class TestRecoveryCodes:
    @pytest.mark.parametrize("shown", ["password", "code", "recovery"])
    def test_are_made_anew_by_who_shows_something(self, owner, shown):
        old = owner.codes
        given = {"password": PASSWORD} if shown == "password" else {"code": owner.code()}
        given = {"code": old[0]} if shown == "recovery" else given
        new = owner.ask("POST", "recovery-codes/", given).json()["recovery_codes"]
        assert len({*old, *new}) == 20
        challenge = owner.challenge()
        assert owner.answer(challenge, old[1]).status_code == 401
        assert owner.answer(challenge, new[0]).status_code == 200
        assert mailed()[:1] + mailed()[-2:] == [
            "second_factor.on",
            "recovery_codes.made",
            "recovery_code.used",
        ]

    def test_stay_as_they_are_for_whoever_does_not(self, owner, refusal, state):
        before = state()
        for given in (
            {},
            {"password": "wrong"},
            {"code": "000000"},
            {"code": "aaaa-bbbb-cccc-dddd"},
            {"password": PASSWORD, "code": "000000"},
        ):
            refusal(owner.ask("POST", "recovery-codes/", given), 400, "invalid")
        assert state() == before

    def test_are_none_without_a_second_factor(self, newcomer, refusal):
        given = {"password": PASSWORD}
        refusal(newcomer.ask("POST", "recovery-codes/", given), 409, "conflict")
        newcomer.begin()
        refusal(newcomer.ask("POST", "recovery-codes/", given), 409, "conflict")
        assert not RecoveryCode.objects.exists()


class TestEverything:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", ""), ("DELETE", ""), ("POST", "confirm/"), ("POST", "recovery-codes/")],
    )
    def test_is_for_the_logged_in(self, api, owner, refusal, state, method, path):
        body = {"password": PASSWORD, "code": owner.code()}
        refusal(api.send(method, f"/api/auth/me/mfa/{path}", body), 401, "not_authenticated")
        api.post("/api/auth/logout/", token=owner.access)
        before = state()
        refusal(owner.ask(method, path, body), 401, "session_revoked")
        assert state() == before


class TestAnOperator:
    def test_can_switch_it_off_for_who_lost_both(self, owner, api, refusal):
        management.call_command("reset_mfa", "ALICE", verbosity=0)
        assert owner.log_in().status_code == 200
        refusal(api.get("/api/auth/me/", token=owner.access), 401, "session_revoked")
        assert told()[-3:] == [
            ("mfa.disabled", ""),
            ("session.ended", "mfa_disabled"),
            ("login.succeeded", ""),
        ]
        assert mailed() == ["second_factor.on", "second_factor.off"]

    def test_changes_nothing_where_there_is_none(self, alice, bob, state):
        before = state()
        management.call_command("reset_mfa", "bob", verbosity=0)
        assert (state(), told(), mailed()) == (before, [], [])

    def test_must_name_somebody(self, alice):
        with pytest.raises(management.CommandError, match="no such account"):
            management.call_command("reset_mfa", "nobody")


class TestWithAnotherRootKey:
    """Its secrets can be read no more: recovery codes are what is left."""

    def test_recovery_codes_still_open_the_account(self, owner, monkeypatch, refusal, caplog):
        from accounts.keys.files import new_key

        key = new_key("EdDSA")
        monkeypatch.setattr("accounts.keys.sealing.root_key", lambda: key)
        assert key.key_id != root_key().key_id
        challenge = owner.challenge()
        refusal(owner.answer(challenge, owner.code()), 401, "not_authenticated")
        assert "another root key" in caplog.text
        assert owner.answer(challenge, owner.codes[0]).status_code == 200

    def test_which_may_be_a_shared_secret(self, newcomer, monkeypatch):
        from accounts.keys.files import SigningKey

        key = SigningKey("secret", "HS256", "a shared secret of enough length", None)
        monkeypatch.setattr("accounts.keys.sealing.root_key", lambda: key)
        newcomer.begin()
        assert newcomer.confirm().status_code == 200
