"""`/docs/`: both services' API, without another host, and nothing inline."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx
import pytest

from e2e.browser import PROGRAM, browser
from local import demo
from local.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import Stack

DOCUMENTS = {
    "/api/auth/schema/": ROOT / "auth_service" / "schema.yml",
    "/api/chat/schema/": ROOT / "messaging_service" / "schema.yml",
    "/docs/asyncapi.yaml": ROOT / "docs" / "asyncapi.yaml",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".yaml": "text/plain"}


class Html(HTMLParser):
    """What a page leads to, and what of it is inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.targets += [value for key in ("src", "href") if (value := named.get(key))]
        is_script = tag == "script" and "src" not in named
        if is_script or tag == "style" or any(key.startswith(("on", "style")) for key in named):
            self.inline.append(tag)


class TestPage:
    def test_is_found_without_its_last_slash(self, stack: Stack) -> None:
        answer = httpx.get(f"{stack.address}/docs")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/docs/")

    def test_leads_only_to_what_is_here(self, stack: Stack) -> None:
        page = Html(httpx.get(f"{stack.address}/docs/").text)
        assert set(page.targets) >= DOCUMENTS.keys()
        assert sum(target.endswith(".js") for target in page.targets) == 3
        for target in page.targets:
            assert target.startswith("/")
            answer = httpx.get(f"{stack.address}{target}")
            kind = answer.headers["Content-Type"].partition(";")[0]
            assert answer.status_code == 200
            assert kind == TYPES.get(f".{target.rpartition('.')[2]}", "application/yaml")

    def test_holds_nothing_inline_and_says_so(self, stack: Stack) -> None:
        answer = httpx.get(f"{stack.address}/docs/")
        assert Html(answer.text).inline == []
        rules = dict(
            rule.strip().split(" ", 1)
            for rule in answer.headers["Content-Security-Policy"].split(";")
        )
        assert rules == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data: blob:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }

    @pytest.mark.parametrize("path", ["nothing.js", "index.html", "..%2findex.html"])
    def test_has_no_other_files(self, stack: Stack, path: str) -> None:
        assert httpx.get(f"{stack.address}/static/docs/{path}").status_code in {400, 404}


class TestDocuments:
    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_are_those_committed_and_for_everybody(self, stack: Stack, path: str) -> None:
        answer = httpx.get(f"{stack.address}{path}")
        assert answer.status_code == 200
        assert answer.text == DOCUMENTS[path].read_text()


# Of a call in the page: opens it, tries it out, and gives the status once it is answered.
CALL = """(() => {
  const call = document.querySelector("[id$='-%s']");
  if (!call) return null;
  const button = call.querySelector(".try-out__btn:not(.cancel)");
  const answer = call.querySelector(".live-responses-table");
  if (!call.classList.contains("is-open")) call.querySelector(".opblock-summary-control").click();
  else if (button) button.click();
  else if (!answer) call.querySelector(".execute")?.click();
  return answer?.querySelector("tbody .response-col_status").textContent.slice(0, 3);
})()"""
CHOOSE = """(() => {
  const list = document.querySelector("select#select");
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(list, "%s");
  list.dispatchEvent(new Event("change", { bubbles: true }));
})()"""


@pytest.mark.skipif(PROGRAM is None, reason="There is no `chromium` on the PATH.")
class TestInABrowser:
    def test_tries_calls_to_both_services_out(self, stack: Stack, tmp_path: Path) -> None:
        login = {"username": "alice", "password": demo.PASSWORD}
        access = httpx.post(f"{stack.address}/api/auth/login/", json=login).json()["access"]
        with browser(tmp_path) as page:
            page.opens(f"{stack.address}/docs/")
            assert page.shows(CALL % "jwks") == "200"
            # The example is what `make run` has registered.
            assert page.shows(CALL % "login") == "200"
            page.runs(f"window.ui.preauthorizeApiKey('bearer', '{access}')")
            page.runs(CHOOSE % "/api/chat/schema/")
            page.runs(f"window.ui.preauthorizeApiKey('bearer', '{access}')")
            assert page.shows(CALL % "list_rooms") == "200"
        assert page.logged == []
        assert {each.split("/")[2] for each in page.requested if not each.startswith("data:")} == {
            stack.address.partition("//")[2]
        }
