"""How often somebody may guess a code, and that nobody is kept out by what others guess."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import Attempts, Mail, SecurityEvent, Session, User
from auth_service.tests.conftest import PASSWORD

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
LIMITS = {"CODES_PER_DAY": 3, "LOGINS_PER_ADDRESS": 8}
AN_HOUR = 3600

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(settings):
    settings.LIMITS = settings.LIMITS | LIMITS


@pytest.fixture
def guess(owner, limits):
    """Answer a challenge from somewhere; with a wrong code unless told otherwise."""
    right = {owner.code(steps) for steps in range(-3, 60)}
    wrong = next(code for code in map("{:06}".format, range(1000)) if code not in right)

    challenge = ""

    def answer(code=wrong, address=HOME):
        nonlocal challenge
        # One answers many wrong codes.
        challenge = challenge or owner.challenge()
        told = owner.answer(challenge, code, **{"X-Real-Ip": address})
        challenge = "" if told.status_code == 200 else challenge
        return told

    return answer


def later(hours):
    Attempts.objects.update(used_until=F("used_until") - timedelta(hours=hours))


def statuses(answers):
    return [answer.status_code for answer in answers]


class TestGuesses:
    def test_from_one_place_are_few_a_day(self, guess, owner, refusal):
        assert statuses(guess() for _ in range(3)) == [401] * 3
        answer = guess(owner.code())
        refusal(answer, 429, "rate_limited")
        # But for what the guesses took.
        assert 8 * AN_HOUR - 30 < int(answer["Retry-After"]) <= 8 * AN_HOUR
        assert Session.objects.count() == 1
        later(8)
        assert guess(owner.code()).status_code == 200

    def test_that_are_right_do_not_count(self, guess, owner):
        for _ in range(5):
            owner.clock.step()
            assert guess(owner.code()).status_code == 200

    def test_are_not_helped_by_another_challenge_or_header(self, guess, owner):
        challenge = owner.challenge()
        for name in ("X-Forwarded-For", "Forwarded", "CF-Connecting-IP"):
            owner.answer(challenge, "000000", **{name: ELSEWHERE})
        assert owner.answer(challenge, "000000").status_code == 429

    def test_from_many_places_are_few_a_day(self, guess):
        tried = [guess(address=f"203.0.113.{n}") for n in range(5)]
        assert statuses(tried) == [401] * 3 + [429] * 2

    def test_count_a_network_as_one_place(self, guess):
        tried = [guess(address=f"2001:db8:1:2::{n}") for n in range(4)]
        assert statuses(tried) == [401, 401, 401, 429]

    def test_count_wherever_a_code_is_asked_for(self, guess, owner, refusal):
        def renew(code):
            return owner.ask("POST", "recovery-codes/", {"code": code})

        # The test's own requests come from 127.0.0.1.
        assert statuses([guess(address="127.0.0.1"), renew("000000"), renew("000001")]) == [
            401,
            400,
            400,
        ]
        refusal(renew(owner.code()), 429, "rate_limited")
        assert guess(owner.code(), address="127.0.0.1").status_code == 429


class TestTheOwner:
    def test_is_told_once_a_day_that_somebody_guesses(self, guess, owner):
        def told():
            rows = SecurityEvent.objects.filter(event="code.guessed")
            mails = Mail.objects.filter(kind="codes.guessed")
            return [row.user_id for row in rows], [mail.username for mail in mails]

        me = User.objects.get().pk
        assert statuses(guess() for _ in range(3)) == [401] * 3
        assert told() == ([], [])
        assert statuses(guess() for _ in range(3)) == [429] * 3
        assert told() == ([me], ["alice"])
        later(24)
        assert 429 in statuses(guess() for _ in range(4))
        assert told() == ([me] * 2, ["alice"] * 2)

    def test_is_let_in_where_the_second_factor_was_shown(self, guess, owner):
        assert guess(owner.code(), HOME).status_code == 200
        assert 429 in statuses(guess(address=f"203.0.113.{n}") for n in range(5))
        owner.clock.step()
        assert guess(owner.code(), ELSEWHERE).status_code == 429
        assert guess(owner.code(), HOME).status_code == 200

    def test_is_let_in_anywhere_with_a_recovery_code(self, guess, owner):
        assert 429 in statuses(guess(address=f"203.0.113.{n}") for n in range(5))
        assert guess(owner.codes[0], ELSEWHERE).status_code == 200

    def test_does_not_count_as_here_for_having_been_before_it_was_on(self, guess, owner):
        """Whoever had the password before may have been anywhere."""
        Session.objects.update(address=ELSEWHERE, last_used_at=F("created_at"))
        assert 429 in statuses(guess(address=f"203.0.113.{n}") for n in range(5))
        assert guess(owner.code(), ELSEWHERE).status_code == 429

    def test_is_not_kept_out_of_another_account(self, guess, owner, bob, new_owner):
        assert 429 in statuses(guess() for _ in range(4))
        other = new_owner(bob)
        answer = other.answer(other.challenge(), other.code(), **{"X-Real-Ip": HOME})
        assert answer.status_code == 200


class TestWhatIsNoChallengeOrTooLong:
    def test_is_limited_for_an_address(self, limits, owner):
        def attempt(number, address=HOME):
            return owner.answer(f"no challenge {number}", "123456", **{"X-Real-Ip": address})

        assert statuses(attempt(n) for n in range(9)) == [401] * 8 + [429]
        assert attempt(9, ELSEWHERE).status_code == 401

    def test_is_limited_as_a_recovery_code_is(self, guess, owner):
        tried = [guess(f"aaaa-bbbb-cccc-{n:04}") for n in range(9)]
        assert statuses(tried) == [401] * 8 + [429]


class TestAPassword:
    def test_is_guessed_no_easier(self, owner, settings, api):
        """A right password gives its tries back, though it opens no session."""
        settings.LIMITS = settings.LIMITS | {"LOGINS_PER_MINUTE": 2}
        for _ in range(4):
            assert owner.log_in().status_code == 401
        wrong = {"username": "alice", "password": "wrong password"}
        tried = [api.post("/api/auth/login/", wrong) for _ in range(3)]
        assert statuses(tried) == [401, 401, 429]
        assert owner.log_in(password=PASSWORD).status_code == 429
