"""What two processes do with one code, one challenge or one account at the same moment."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from auth_service.tests.mfa.authenticator import STEP, Authenticator
from auth_service.tests.servers import PASSWORD, Answer, Servers, start_servers

ME, LOGIN = "/api/auth/me/mfa/", "/api/auth/login/"
NUMBERS = count()
SWITCHED_ON = "UPDATE accounts_user SET mfa_enabled_at = now() WHERE username = %s"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with start_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@dataclass
class Owner:
    servers: Servers
    username: str
    access: str
    authenticator: Authenticator = field(init=False)
    codes: list[str] = field(init=False)

    def begin(self) -> None:
        told = self.servers.ask("POST", ME, {}, token=self.access)
        self.authenticator = Authenticator(told.body["secret"])

    def enrol(self) -> None:
        self.begin()
        self.codes = self.confirm(self.code()).body["recovery_codes"]

    def confirm(self, code: str, server: int = 0) -> Answer:
        return self.servers.ask(
            "POST", f"{ME}confirm/", {"code": code}, token=self.access, server=server
        )

    def code(self, steps: int = 0) -> str:
        return self.authenticator.code(time.time() + steps * STEP)

    def challenge(self) -> str:
        body = {"username": self.username, "password": PASSWORD}
        told: dict[str, Any] = self.servers.ask("POST", LOGIN, body).body
        challenge: str = told["challenge"]
        return challenge

    def answer(self, challenge: str, code: str, server: int = 0) -> Answer:
        body = {"challenge": challenge, "code": code}
        return self.servers.ask("POST", f"{LOGIN}mfa/", body, server=server)


@pytest.fixture
def newcomer(servers: Servers) -> Owner:
    username = f"owner-{next(NUMBERS)}"
    return Owner(servers, username, servers.sign_up(username)["access"])


@pytest.fixture
def owner(newcomer: Owner) -> Owner:
    newcomer.enrol()
    return newcomer


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(30) as pool:
        yield pool


def statuses(asked):
    return Counter(each.result().status for each in asked)


class TestACode:
    @pytest.mark.parametrize("kind", ["totp", "recovery"])
    def test_shown_ten_times_opens_one_session(self, owner, threads, kind):
        challenges = [owner.challenge() for _ in range(10)]
        code = owner.code(1) if kind == "totp" else owner.codes[0]
        asked = [
            threads.submit(owner.answer, challenge, code, number)
            for number, challenge in enumerate(challenges)
        ]
        assert statuses(asked) == {200: 1, 401: 9}

    def test_guessed_thirty_times_is_looked_at_twenty_times(self, owner, threads):
        right = {owner.code(steps) for steps in range(-3, 4)}
        wrong = [code for code in map("{:06}".format, range(40)) if code not in right][:30]
        challenge = owner.challenge()
        asked = [
            threads.submit(owner.answer, challenge, code, number)
            for number, code in enumerate(wrong)
        ]
        assert statuses(asked) == {401: 20, 429: 10}


class TestAChallenge:
    def test_answered_ten_times_opens_one_session(self, owner, threads):
        challenge = owner.challenge()
        asked = [
            threads.submit(owner.answer, challenge, code, number)
            for number, code in enumerate(owner.codes)
        ]
        assert statuses(asked) == {200: 1, 401: 9}
        left = [code for code in owner.codes if owner.answer(owner.challenge(), code).status == 200]
        assert len(left) == 9


class TestSwitchingOn:
    def test_happens_once(self, newcomer, threads):
        newcomer.begin()
        codes = [newcomer.code(steps) for steps in (0, 1, 0, 1)]
        asked = [
            threads.submit(newcomer.confirm, code, number) for number, code in enumerate(codes)
        ]
        answers = [each.result() for each in asked]
        assert {answer.status for answer in answers} <= {200, 400, 409}
        [told] = [answer.body for answer in answers if answer.status == 200]
        assert newcomer.answer(newcomer.challenge(), told["recovery_codes"][0]).status == 200

    def test_lets_no_login_of_before_slip_in(self, newcomer, servers, threads):
        body = {"username": newcomer.username, "password": PASSWORD}
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute(SWITCHED_ON, [newcomer.username])
            asked = threads.submit(servers.ask, "POST", LOGIN, body)
            servers.wait_for_waiters(1)
            link.commit()
            answer = asked.result()
        assert (answer.status, answer.body["code"]) == (401, "mfa_required")
