"""The mails of `make run`, as whoever runs it sees them."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from local.stack import Stack


def read(stack: Stack, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{stack.operators_port}/mail/{path}") as answer:
        text: str = answer.read().decode()
        return text


def register(stack: Stack, username: str) -> None:
    account = {"username": username, "password": "a-walk-by-the-sea"}
    link = HTTPConnection("127.0.0.1", stack.port, timeout=10)
    body = json.dumps(account | {"email": f"{username}@example.com"})
    link.request("POST", "/api/auth/register/", body, {"Content-Type": "application/json"})
    assert link.getresponse().status == 201
    link.close()


def newest_to(stack: Stack, address: str) -> str:
    """Wait for a mail to an address, and return its number."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for mail in json.loads(read(stack, "api/v1/messages"))["messages"]:
            if mail["To"][0]["Address"] == address:
                return str(mail["ID"])
        time.sleep(0.05)
    raise AssertionError(f"no mail to {address}")


class TestMailbox:
    def test_shows_what_was_mailed(self, stack: Stack) -> None:
        register(stack, "mailed")
        text = read(stack, f"view/{newest_to(stack, 'mailed@example.com')}.txt")
        assert "for the account mailed" in text
        assert text.split()[0] in read(stack, "")

    def test_its_links_lead_through_the_gateway(self, stack: Stack) -> None:
        register(stack, "linked")
        text = read(stack, f"view/{newest_to(stack, 'linked@example.com')}.txt")
        link = next(word for word in text.split() if word.startswith("http"))
        assert link.startswith(f"{stack.address}/api/auth/pages/verify-email/?token=")
        page = HTTPConnection("127.0.0.1", stack.port, timeout=10)
        page.request("GET", link.removeprefix(stack.address))
        answer = page.getresponse()
        assert b"<form" in answer.read()
        # The gateway adds headers of its own, but leaves this one.
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        page.close()
