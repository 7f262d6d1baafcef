"""The gateway as it runs: what is reachable, what is not, and what it writes down."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from local.stack import process_url
from local.traefik import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.stack import Stack

CANARY = "canary-4f1d"
UNREACHABLE = (
    "/",
    "/internal/users/?ids=1",
    "/api/auth/../../internal/users/",
    "/api/auth/%2e%2e/%2e%2e/internal/users/",
    "//internal/users/",
    "/health/ready",
    "/health/live",
    "/metrics",
    "/metrics/auth",
    "/metrics/chat",
    "/metrics/sockets-1",
    "/api/chat/../../metrics",
    "/ws/../metrics",
    "//metrics",
    "/dashboard/",
    "/api/http/routers",
    "/admin/",
    "/admin/auth/login/",
    "/admin/chat/login/",
    "/admin/chat/static/admin/css/base.css",
    "/api/auth/../../admin/auth/login/",
    "//admin/auth/login/",
    "/mail/",
    "/mail/view/latest.txt",
)


def ask(
    stack: Stack,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str, dict[str, str]]:
    link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    try:
        link.request(method, path, body, headers or {})
        answer = link.getresponse()
        return answer.status, answer.read().decode(), dict(answer.headers)
    finally:
        link.close()


class TestFiles:
    def test_every_router_middleware_and_service_is_enabled(self, stack: Stack) -> None:
        for kind in ("routers", "middlewares", "services"):
            found = stack.traefik.ask(f"/api/http/{kind}")
            ours = [each for each in found if each["provider"] == "file"]
            assert ours
            assert [each for each in found if each["status"] != "enabled" or "error" in each] == []

    def test_every_server_of_every_service_is_up(self, stack: Stack) -> None:
        # Longer than one round of health checks: before it, Traefik takes all of them to be up.
        time.sleep(6)
        found = stack.traefik.ask("/api/http/services")
        servers = {each["name"]: each["serverStatus"] for each in found if "serverStatus" in each}
        assert {name: set(each.values()) for name, each in servers.items()} == {
            "auth@file": {"UP"},
            "chat@file": {"UP"},
            "mailbox@file": {"UP"},
            "sockets@file": {"UP"},
            "sockets-1@file": {"UP"},
            "sockets-2@file": {"UP"},
        }
        assert len(servers["sockets@file"]) == 2

    def test_its_log_holds_no_error(self, stack: Stack) -> None:
        lines = (stack.logs / "traefik.log").read_text().splitlines()
        levels = [json.loads(line)["level"] for line in lines]
        assert levels
        assert set(levels) == {"info"}

    def test_only_addresses_differ_from_the_file(self, stack: Stack) -> None:
        standing = (FILES / "traefik.yaml").read_text().splitlines()
        ours = stack.traefik.static_settings().splitlines()
        differing = [
            line.strip() for line, other in zip(standing, ours, strict=True) if line != other
        ]
        assert differing == [
            'address: ":8000"',
            'address: ":8001"',
            "directory: /etc/traefik/dynamic",
        ]


class TestRoutes:
    @pytest.mark.parametrize("path", UNREACHABLE)
    def test_what_is_not_public_is_not_there(self, stack: Stack, path: str) -> None:
        status, text, _ = ask(stack, path)
        assert (status, text) == (404, "404 page not found\n")

    def test_a_path_that_could_be_read_in_two_ways_is_refused(self, stack: Stack) -> None:
        assert ask(stack, "/api/auth/..%2f..%2finternal/users/")[0] == 400

    @pytest.mark.parametrize("name", ["auth", "chat", "sockets"])
    def test_health_is_public(self, stack: Stack, name: str) -> None:
        assert ask(stack, f"/health/{name}/live")[0] == 200

    def test_messaging_is_a_second_name_of_chat(self, stack: Stack) -> None:
        first, second = (ask(stack, f"/api/{name}/rooms/") for name in ("chat", "messaging"))
        assert first[0] == second[0] == 401
        assert first[1] == second[1]

    def test_keys_are_public(self, stack: Stack) -> None:
        status, text, _ = ask(stack, "/.well-known/jwks.json")
        assert status == 200
        assert json.loads(text)["keys"]


class TestMetrics:
    @pytest.mark.parametrize("name", ["chat", "sockets-1", "sockets-2"])
    def test_operators_see_what_each_process_counts(self, stack: Stack, name: str) -> None:
        assert "parley_sends_total" in self._ask(stack, f"/metrics/{name}")

    def test_of_auth_service_too(self, stack: Stack) -> None:
        assert "parley_mails_waiting" in self._ask(stack, "/metrics/auth")

    def test_each_path_is_of_one_process(self, stack: Stack) -> None:
        found = {each["name"]: each for each in stack.traefik.ask("/api/http/services")}
        for name in ("sockets-1", "sockets-2"):
            asked = [each["url"] for each in found[f"{name}@file"]["loadBalancer"]["servers"]]
            assert asked == [process_url(stack.process(f"messaging_{name}"))]

    def test_the_gateway_has_its_own(self, stack: Stack) -> None:
        assert "traefik_" in self._ask(stack, "/metrics")

    @staticmethod
    def _ask(stack: Stack, path: str) -> str:
        address = f"http://127.0.0.1:{stack.operators_port}{path}"
        with urlopen(address) as answer:
            text: str = answer.read().decode()
        return text


class TestMiddlewares:
    def test_browsers_are_told_to_be_careful(self, stack: Stack) -> None:
        headers = ask(stack, "/.well-known/jwks.json")[2]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"

    def test_a_header_that_looks_like_another_is_refused(self, stack: Stack) -> None:
        assert ask(stack, "/api/auth/me/", headers={"X_Forwarded_For": "10.0.0.1"})[0] == 400

    def test_a_body_a_little_too_large_is_refused_by_the_service(self, stack: Stack) -> None:
        status, text, _ = self._post(stack, 64 * 1024 + 1)
        assert status == 413
        assert json.loads(text)["code"] == "too_large"

    @staticmethod
    def _post(stack: Stack, size: int) -> tuple[int, str, dict[str, str]]:
        return ask(
            stack,
            "/api/auth/login/",
            method="POST",
            body=b'"' + b"x" * (size - 2) + b'"',
            headers={"Content-Type": "application/json"},
        )


class TestLogs:
    def test_hold_no_query_string(self, stack: Stack) -> None:
        ask(stack, f"/api/auth/me/?token={CANARY}")
        ask(stack, f"/api/chat/rooms/?token={CANARY}", headers={"Referer": f"http://x/?{CANARY}"})
        ask(stack, f"/nowhere?token={CANARY}")
        for path in ("/ws/chat/1/", "/ws/chat/", "/ws/nowhere/"):
            asyncio.run(_knock(f"ws://127.0.0.1:{stack.port}{path}?token={CANARY}"))
        # Straight at a socket process too: uvicorn has a log of its own.
        port = stack.process("messaging_sockets-1").port
        asyncio.run(_knock(f"ws://127.0.0.1:{port}/ws/chat/1/?token={CANARY}"))
        time.sleep(0.5)
        logs = sorted(stack.logs.glob("*.log*"))
        assert {log.name for log in logs} >= {f"{each.name}.log" for each in stack.processes}
        assert [log.name for log in logs if CANARY in log.read_text()] == []
        # The log does speak of those requests; only not of what they carried.
        assert "/api/chat/rooms/" in (stack.logs / "traefik.log").read_text()


class TestAbuse:
    """Last, because the gateway writes down a refused body as an error of its own."""

    def test_a_huge_body_is_refused_at_the_gateway(self, stack: Stack) -> None:
        status, text, _ = TestMiddlewares._post(stack, 128 * 1024 + 1)
        assert (status, text) == (413, "Request Entity Too Large")


async def _knock(address: str) -> None:
    with suppress(WebSocketException, OSError):
        async with connect(address, open_timeout=5) as socket:
            await socket.send('{"type":"ping"}')
            await asyncio.wait_for(socket.recv(), 5)
