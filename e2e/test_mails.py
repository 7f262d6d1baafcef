"""Journeys of whoever reads mails: a new address, a forgotten password, a stolen session."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, TypeAlias

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from e2e.browser import PROGRAM, browser
from e2e.people import PASSWORD, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.people import Person
    from local.stack import Stack

NEW_PASSWORD = "under-the-deep-green-sea"
SECRETS.add(NEW_PASSWORD)
SECONDS = 20

Reads: TypeAlias = "Callable[[Person, str], str]"


@pytest.fixture
def reads(stack: Stack) -> Reads:
    """Wait for a mail to a person whose subject begins so, and return its text."""
    box = f"http://127.0.0.1:{stack.operators_port}/mail"

    def read(person: Person, subject: str) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for mail in httpx.get(f"{box}/api/v1/messages").json()["messages"]:
                to = mail["To"][0]["Address"]
                if to == person.user["email"] and mail["Subject"].startswith(subject):
                    return httpx.get(f"{box}/view/{mail['ID']}.txt").text
            time.sleep(0.05)
        raise AssertionError(f"no mail that begins with {subject}")

    return read


def code_in(text: str) -> str:
    code = text.split(maxsplit=1)[0]
    SECRETS.update((code, code.replace("-", "")))
    return code


def link_in(text: str) -> str:
    link = next(word for word in text.split() if word.startswith("http"))
    SECRETS.add(link.partition("token=")[2])
    return link


def submits(page: httpx.Response, **typed: str) -> httpx.Response:
    """Send the form of a page, as a browser would."""
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', page.text))
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    return httpx.post(page.url, data=fields | typed, headers={"Origin": origin})


class TestConfirming:
    def test_by_the_code(self, alice: Person, reads: Reads) -> None:
        assert alice.user["email_verified"] is False
        asked = {"email": alice.user["email"], "code": code_in(reads(alice, "Confirm"))}
        assert httpx.post(f"{alice.address}/api/auth/email/verify/", json=asked).status_code == 204
        assert alice.http.get("/api/auth/me/").json()["email_verified"] is True

    def test_by_the_page_of_the_link(self, alice: Person, reads: Reads) -> None:
        page = httpx.get(link_in(reads(alice, "Confirm")))
        assert alice.http.get("/api/auth/me/").json()["email_verified"] is False
        assert submits(page).status_code == 200
        assert alice.http.get("/api/auth/me/").json()["email_verified"] is True
        assert submits(page).status_code == 400


class TestForgottenPassword:
    @pytest.fixture
    def mailed(self, alice: Person, reads: Reads) -> str:
        asked = {"email": alice.user["email"]}
        answer = httpx.post(f"{alice.address}/api/auth/password/reset/", json=asked)
        assert answer.status_code == 202
        return reads(alice, "Reset")

    def test_by_the_page_of_the_link_closes_sockets_and_tells_the_owner(
        self, alice: Person, bob: Person, mailed: str, reads: Reads
    ) -> None:
        code_in(mailed)
        with alice.listens(alice.opens_room_with(bob)) as ear:
            page = httpx.get(link_in(mailed))
            assert submits(page, new_password=NEW_PASSWORD).status_code == 200
            with pytest.raises(ConnectionClosed) as closed:
                ear.hears_first("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert alice.username in reads(alice, "Your password was reset")
        login = {"username": alice.username, "password": PASSWORD}
        assert httpx.post(f"{alice.address}/api/auth/login/", json=login).status_code == 401
        login["password"] = NEW_PASSWORD
        answer = httpx.post(f"{alice.address}/api/auth/login/", json=login)
        assert answer.status_code == 200
        alice.signed_in(answer.json())

    @pytest.mark.skipif(PROGRAM is None, reason="takes chromium")
    def test_in_a_browser(self, alice: Person, mailed: str, tmp_path: Path) -> None:
        """It says where the form comes from, in spite of what the gateway says of referrers."""
        code_in(mailed)
        link = link_in(mailed)
        with browser(tmp_path) as page:
            page.opens(link)
            assert page.shows("document.querySelector('button')?.textContent")
            page.runs(f"document.querySelector('[name=new_password]').value = '{NEW_PASSWORD}'")
            page.runs("document.querySelector('button').click()")
            assert page.shows("document.body.innerText.includes('Your password is set')")
            assert page.runs("getComputedStyle(document.body).maxWidth") == "448px"
            # The one hint is that there is no field for a name: the page does not know whose it is.
            assert [each for each in page.logged if "username" not in each] == []
            assert set(page.requested) == {link}
        login = {"username": alice.username, "password": NEW_PASSWORD}
        answer = httpx.post(f"{alice.address}/api/auth/login/", json=login)
        assert answer.status_code == 200
        alice.signed_in(answer.json())

    def test_is_answered_alike_for_an_address_nobody_has(self, alice: Person) -> None:
        for path in ("password/reset/", "email/resend/"):
            answers = [
                httpx.post(f"{alice.address}/api/auth/{path}", json={"email": email})
                for email in (alice.user["email"], f"nobody-{alice.username}@example.com")
            ]
            assert {answer.status_code for answer in answers} == {202}
            assert answers[0].content == answers[1].content
            assert _steady(answers[0]) == _steady(answers[1])


def _steady(answer: httpx.Response) -> dict[str, str]:
    changing = {"date", "x-request-id"}
    return {name: value for name, value in answer.headers.items() if name not in changing}


class TestStolenSession:
    def test_is_told_to_the_owner(self, alice: Person, reads: Reads) -> None:
        old = alice.refresh
        alice.renews()
        alice.renews()
        stolen = alice.http.post("/api/auth/refresh/", json={"refresh": old})
        assert stolen.status_code == 401
        assert alice.username in reads(alice, "A session of yours was ended")
