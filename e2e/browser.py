"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

PROGRAM = shutil.which("chromium")
SECONDS = 30.0
# Root has no sandbox to go into; and it should ask nobody but the page's own server.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    "--disable-dev-shm-usage",
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--window-size=1400,1000"),
)


class Page:
    """One page; `logged` is what the browser wrote about it, `requested` where it asked."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._number = 0
        self.logged: list[str] = []
        self.requested: list[str] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._ask(f"{domain}.enable")

    def opens(self, address: str) -> None:
        self._ask("Page.navigate", url=address)

    def shows(self, condition: str) -> Any:
        """Return the value of an expression of JavaScript, once it is true."""
        deadline = time.monotonic() + SECONDS
        while not (value := self.runs(condition)):
            assert time.monotonic() < deadline, (condition, self.logged)
            time.sleep(0.05)
        return value

    def runs(self, expression: str) -> Any:
        answer = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return answer["result"].get("value")

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        self._link.send(json.dumps(asked))
        while True:
            told = json.loads(self._link.recv(SECONDS))
            if told.get("id") == self._number:
                result: dict[str, Any] = told["result"]
                return result
            self._hears(told["method"], told["params"])

    def _hears(self, event: str, told: dict[str, Any]) -> None:
        if event == "Log.entryAdded":
            self.logged.append(told["entry"]["text"])
        elif event == "Runtime.exceptionThrown":
            self.logged.append(str(told["exceptionDetails"]))
        elif event == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Open a browser with an empty profile in a folder, and a page in it."""
    assert PROGRAM is not None
    with subprocess.Popen(
        [PROGRAM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            with connect(_page_address(folder), max_size=None, compression=None) as link:
                yield Page(link)
        finally:
            process.kill()


def _page_address(folder: Path) -> str:
    """Return where the first page is driven from; the port is written down when it is known."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            port = (folder / "DevToolsActivePort").read_text().split()[0]
            pages = httpx.get(f"http://127.0.0.1:{port}/json/list").json()
            return str(
                next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"]
            )
        except (OSError, IndexError, StopIteration, httpx.HTTPError):
            assert time.monotonic() < deadline
            time.sleep(0.05)
