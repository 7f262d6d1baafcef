"""How often somebody may try, and that nobody is kept out by what others try."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.test import Client

from accounts.actions.attempts import Bucket, count, counting_failures
from accounts.actions.proving import try_password
from accounts.errors import TooManyTries, WrongPassword
from accounts.models import Attempts, SecurityEvent, Session, User

PASSWORD = "correct horse battery"
WRONG = "wrong password"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
LIMITS = {
    "LOGINS_PER_MINUTE": 3,
    "LOGINS_PER_ADDRESS": 6,
    "LOGINS_BY_STRANGERS": 8,
    "REGISTRATIONS_PER_HOUR": 2,
    "REFRESHES_PER_MINUTE": 3,
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(alice, bob, settings):
    settings.LIMITS = settings.LIMITS | LIMITS
    Attempts.objects.all().delete()


def later(seconds):
    Attempts.objects.update(used_until=F("used_until") - timedelta(seconds=seconds))


def post(path, body, address=HOME, **headers):
    client = Client(REMOTE_ADDR=address)
    return client.post(f"/api/auth/{path}", body, "application/json", headers=headers)


def log_in(name="alice", password=WRONG, address=HOME):
    return post("login/", {"username": name, "password": password}, address)


def statuses(tries):
    return [answer.status_code for answer in tries]


class TestBuckets:
    def test_hold_so_many_and_get_them_back_one_by_one(self):
        bucket = Bucket("one", 3, 60)
        for _ in range(3):
            count([bucket])
        with pytest.raises(TooManyTries) as refused:
            count([bucket])
        assert refused.value.retry_after == 20
        later(20)
        count([bucket])
        with pytest.raises(TooManyTries):
            count([bucket])
        later(3600)
        for _ in range(3):
            count([bucket])
        with pytest.raises(TooManyTries):
            count([bucket])

    def test_count_in_all_or_in_none(self):
        small, large = Bucket("small", 1, 60), Bucket("large", 2, 60)
        count([small, large])
        for _ in range(5):
            with pytest.raises(TooManyTries):
                count([small, large])
        count([large])
        with pytest.raises(TooManyTries):
            count([large])

    def test_are_given_back_what_succeeded(self):
        bucket, every = Bucket("some", 1, 60), Bucket("every", 2, 60)
        for _ in range(2):
            with counting_failures([bucket], every=[every]):
                pass
        with pytest.raises(TooManyTries), counting_failures([bucket], every=[every]):
            pytest.fail("tried")
        with pytest.raises(WrongPassword), counting_failures([bucket]):
            raise WrongPassword
        with pytest.raises(TooManyTries), counting_failures([bucket]):
            pytest.fail("tried")

    def test_are_forgotten_when_they_are_full(self, monkeypatch):
        count([Bucket("old", 3, 60)])
        later(61)
        monkeypatch.setattr("accounts.actions.attempts.TIDYING", 1.0)
        count([Bucket("new", 3, 60)])
        assert Attempts.objects.count() == 1

    def test_hold_nothing_that_was_typed(self, limits):
        log_in(name="a password typed in the wrong place")
        kept = str(list(Attempts.objects.values()))
        assert "typed" not in kept
        assert HOME not in kept


class TestLoggingIn:
    """Rule 8."""

    def test_is_refused_after_too_many_wrong_ones(self, limits, refusal):
        assert statuses(log_in() for _ in range(3)) == [401] * 3
        answer = log_in(password=PASSWORD)
        told = refusal(answer, 429, "rate_limited")
        assert 15 < int(answer["Retry-After"]) <= 20
        assert told["detail"]
        assert Session.objects.count() == 2
        later(20)
        assert log_in(password=PASSWORD).status_code == 200

    def test_counts_no_right_one(self, limits):
        assert statuses(log_in(password=PASSWORD) for _ in range(12)) == [200] * 12

    def test_gives_back_once_what_is_tried_while_the_password_changes(self, limits, monkeypatch):
        def change_after(**tried):
            proven = try_password(**tried)
            User.objects.filter(username="alice").update(password=make_password(PASSWORD))
            return proven

        log_in()
        before = set(Attempts.objects.values_list("key", "used_until"))
        monkeypatch.setattr("accounts.actions.sessions.try_password", change_after)
        assert log_in(password=PASSWORD).status_code == 200
        assert before == set(Attempts.objects.values_list("key", "used_until"))

    def test_counts_no_right_one_that_has_to_verify(self, limits, settings):
        settings.EMAIL_VERIFICATION = "required"
        assert statuses(log_in(password=PASSWORD) for _ in range(12)) == [403] * 12

    @pytest.mark.parametrize("name", ["ALICE", "Alice"])
    def test_counts_a_name_in_any_case(self, limits, name):
        assert statuses(log_in() for _ in range(3)) == [401] * 3
        assert log_in(name=name).status_code == 429

    def test_treats_a_name_nobody_has_alike(self, limits):
        User.objects.filter(username="bob").update(is_active=False)
        tried = {name: [log_in(name) for _ in range(4)] for name in ("alice", "bob", "nobody")}
        # One address may try six in all.
        assert statuses(tried["alice"]) == statuses(tried["bob"]) == [401, 401, 401, 429]
        assert statuses(tried["nobody"]) == [429] * 4
        Attempts.objects.all().delete()
        assert statuses(log_in("nobody") for _ in range(4)) == [401, 401, 401, 429]

    def test_is_limited_for_an_address_over_all_names(self, limits):
        assert statuses(log_in(f"name{n}") for n in range(7)) == [401] * 6 + [429]
        assert log_in(address=ELSEWHERE).status_code == 401

    def test_counts_a_network_as_one_address(self, limits):
        tried = [log_in(address=f"2001:db8:1:2::{n}") for n in range(4)]
        assert statuses(tried) == [401, 401, 401, 429]

    @pytest.mark.parametrize(
        "name",
        ["X-Forwarded-For", "X_Forwarded_For", "Forwarded", "True-Client-IP", "CF-Connecting-IP"],
    )
    def test_cannot_be_dodged_by_a_header(self, limits, name):
        body = {"username": "alice", "password": "wrong password"}
        tried = [post("login/", body, **{name: f"203.0.113.{n}"}) for n in range(4)]
        assert statuses(tried) == [401, 401, 401, 429]

    def test_keeps_nobody_out_elsewhere(self, limits):
        assert log_in(address=ELSEWHERE, password=PASSWORD).status_code == 200
        assert 429 in statuses(log_in() for _ in range(9))
        assert log_in(address=ELSEWHERE, password=PASSWORD).status_code == 200

    def test_keeps_nobody_out_where_he_has_been_before(self, limits):
        assert log_in(address=HOME, password=PASSWORD).status_code == 200
        tried = [log_in(address=f"203.0.113.{n}") for n in range(10)]
        assert statuses(tried) == [401] * 8 + [429] * 2
        # A stranger with the right password waits; alice does not.
        assert log_in(address="203.0.113.99", password=PASSWORD).status_code == 429
        assert log_in(address=HOME, password=PASSWORD).status_code == 200
        # Nor does she give strangers back what she did not take from them.
        assert log_in(address="203.0.113.99", password=PASSWORD).status_code == 429

    def test_is_refused_before_any_password_is_looked_at(self, limits, monkeypatch):
        for _ in range(3):
            log_in()
        monkeypatch.setattr("accounts.actions.proving.check_password", None)
        assert log_in().status_code == 429


class TestRegistering:
    """Rule 8."""

    def test_is_limited_for_an_address(self, limits, refusal):
        def sign_up(name, address=HOME):
            fields = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            return post("register/", fields, address)

        assert statuses(sign_up(name) for name in ("carol", "dave")) == [201, 201]
        answer = sign_up("erin")
        refusal(answer, 429, "rate_limited")
        assert 1_770 < int(answer["Retry-After"]) <= 1_800
        assert not User.objects.filter(username="erin").exists()
        assert sign_up("erin", ELSEWHERE).status_code == 201


class TestRefreshing:
    """Rule 8."""

    def test_is_limited_for_a_session(self, limits, refusal, alice, bob):
        refresh = alice.refresh
        for _ in range(3):
            refresh = post("refresh/", {"refresh": refresh}).json()["refresh"]
        refusal(post("refresh/", {"refresh": refresh}), 429, "rate_limited")
        assert post("refresh/", {"refresh": bob.refresh}).status_code == 200
        later(20)
        assert post("refresh/", {"refresh": refresh}).status_code == 200

    def test_is_limited_for_an_address_with_what_is_no_token(self, limits, bob):
        tried = [post("refresh/", {"refresh": "x"}) for _ in range(4)]
        assert statuses(tried) == [401, 401, 401, 429]
        assert post("refresh/", {"refresh": bob.refresh}, ELSEWHERE).status_code == 200


class TestChangingAPassword:
    def test_counts_as_the_same_guesses(self, limits, alice, refusal):
        def change(current):
            body = {"current_password": current, "new_password": "another horse battery"}
            return post("password/change/", body, Authorization=f"Bearer {alice.access}")

        assert statuses([log_in(), change("wrong"), change("wrong")]) == [401, 400, 400]
        refusal(change(PASSWORD), 429, "rate_limited")
        assert log_in(password=PASSWORD).status_code == 429
        later(60)
        assert log_in(password=PASSWORD).status_code == 200
        assert SecurityEvent.objects.filter(event="password.refused").count() == 2


class TestManyAtOnce:
    def test_cannot_slip_through(self, together):
        """On connections of their own, so what they count stays: under names of their own."""
        names = [f"many at once {n}" for n in range(2)]

        def attempt(number):
            order = names if number % 2 else names[::-1]
            try:
                count([Bucket(name, 5, 3600) for name in order])
            except TooManyTries:
                return 0
            return 1

        assert sum(together(16, attempt)) == 5
