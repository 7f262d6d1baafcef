"""The gateway as compose.prod.yaml runs it: TLS of today, nothing in clear, browsers told so."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local.binaries import traefik_program
from local.health import answers
from local.ports import LOOPBACK, free_ports
from local.processes import Process
from local.tests.certificates import write_certificate
from local.traefik import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME = "chat.example.org"


class Echo(BaseHTTPRequestHandler):
    """A service that says what it was told of the client."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Gateway:
    """Traefik from traefik.prod.yaml, with our ports for its own."""

    def __init__(self, folder: Path, *, service: int) -> None:
        self.port, self.plain, self.operators = free_ports(3)
        self.certificate, key = write_certificate(folder, NAME)
        file = folder / "traefik.yaml"
        file.write_text(self._settings())
        self.process = Process(
            name="traefik",
            command=[str(traefik_program()), f"--configfile={file}"],
            folder=folder,
            log=folder / "traefik.log",
            environment={
                "AUTH_URLS": f"http://{LOOPBACK}:{service}",
                "TLS_CERTIFICATE_FILE": str(self.certificate),
                "TLS_KEY_FILE": str(key),
            },
        )

    def ask(self, *, secure: bool = True) -> tuple[int, Mapping[str, str], str]:
        """Ask for the public keys, believing in our certificate alone."""
        link: http.client.HTTPConnection
        if secure:
            link = http.client.HTTPSConnection(LOOPBACK, self.port, context=self.client())
        else:
            link = http.client.HTTPConnection(LOOPBACK, self.plain)
        with closing(link):
            link.request("GET", "/.well-known/jwks.json?a=b", headers={"Host": NAME})
            answer = link.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()

    def handshake(self, **options: Any) -> str | None:
        """Return the version of TLS both sides agreed on."""
        with (
            socket.create_connection((LOOPBACK, self.port), timeout=10) as plain,
            self.client(**options).wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            return secure.version()

    def client(self, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.certificate))
        # It is asked at an address, which no certificate names.
        context.check_hostname = False
        if newest is not ssl.TLSVersion.TLSv1_3:
            # What is too old for the server must not fail at the client.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = newest
            context.maximum_version = newest
        return context

    def _settings(self) -> str:
        text = (FILES / "traefik.prod.yaml").read_text()
        for standing, ours in (
            ('":8443"', f'"{LOOPBACK}:{self.port}"'),
            ('":8000"', f'"{LOOPBACK}:{self.plain}"'),
            ('":8001"', f'"{LOOPBACK}:{self.operators}"'),
            ("/etc/traefik/dynamic", json.dumps(str(FILES / "dynamic"))),
        ):
            assert text.count(standing) == 1
            text = text.replace(standing, ours)
        return text


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    service = ThreadingHTTPServer((LOOPBACK, 0), Echo)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), service=service.server_port)
    try:
        gateway.process.start()
        gateway.process.wait_until(lambda: answers(gateway.operators, "/api/version"))
        yield gateway
    finally:
        gateway.process.stop()
        service.shutdown()
        service.server_close()


class TestFiles:
    def test_differ_from_the_usual_in_the_public_entry_points_alone(self) -> None:
        usual, served = (
            yaml.safe_load((FILES / name).read_text())
            for name in ("traefik.yaml", "traefik.prod.yaml")
        )
        strict = usual["entryPoints"]["web"]["http"]
        assert served["entryPoints"] == usual["entryPoints"] | {
            "web": {
                "address": ":8443",
                "http": {**strict, "middlewares": ["strict-transport@file"], "tls": {}},
            },
            "plain": {
                "address": ":8000",
                "http": {
                    **strict,
                    "redirections": {"entryPoint": {"to": ":443", "scheme": "https"}},
                },
            },
        }
        usual.pop("entryPoints")
        served.pop("entryPoints")
        assert served == usual


class TestTls:
    def test_leads_to_the_services(self, gateway: Gateway) -> None:
        status, _, text = gateway.ask()
        assert status == 200
        told = json.loads(text)
        assert (told["host"], told["x-forwarded-proto"]) == (NAME, "https")

    def test_is_of_the_newest_version_with_our_certificate(self, gateway: Gateway) -> None:
        assert gateway.handshake() == "TLSv1.3"

    def test_is_of_version_1_2_at_least(self, gateway: Gateway) -> None:
        assert gateway.handshake(newest=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        for old in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with (
                pytest.warns(DeprecationWarning, match="TLSv1"),
                pytest.raises(ssl.SSLError, match="protocol"),
            ):
                gateway.handshake(newest=old)

    def test_is_what_browsers_shall_keep_to(self, gateway: Gateway) -> None:
        _, headers, _ = gateway.ask()
        assert headers["Strict-Transport-Security"] == "max-age=63072000"
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_is_where_everybody_in_clear_is_sent(self, gateway: Gateway) -> None:
        status, headers, text = gateway.ask(secure=False)
        assert status == 301
        assert headers["Location"] == f"https://{NAME}/.well-known/jwks.json?a=b"
        assert "x-forwarded" not in text

    def test_log_holds_no_error(self, gateway: Gateway) -> None:
        lines = gateway.process.log.read_text().splitlines()
        assert {json.loads(line)["level"] for line in lines} == {"info"}
