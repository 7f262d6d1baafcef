"""Where mails go, by the settings: to a server, or to a provider's API."""

import json
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

SHOW = "from django.conf import settings; print(settings.EMAIL_BACKEND)"
SEND = """
from django.core.mail import EmailMessage
EmailMessage("Subject", "Text", to=["alice@example.com"], headers={"Auto-Submitted": "x"}).send()
"""
TLS_HANDSHAKE = b"\x16"


class Provider(BaseHTTPRequestHandler):
    """Takes what is posted, as Postmark does."""

    asked = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["X-Postmark-Server-Token"], json.loads(body)))
        told = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "alice@example.com"}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class TestBackend:
    def test_may_speak_tls_from_the_first_byte(self, run_with):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            port = str(server.getsockname()[1])
            said = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port, "EMAIL_USE_SSL": "true"}
            sending = Thread(target=run_with, args=(said, SEND))
            sending.start()
            with server.accept()[0] as connection:
                first = connection.recv(1)
            sending.join()
        assert first == TLS_HANDSHAKE

    def test_may_be_a_providers_api(self, run_with, provider):
        said = {
            "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
            "ANYMAIL": f"POSTMARK_SERVER_TOKEN=t=1,"
            f"POSTMARK_API_URL=http://127.0.0.1:{provider.server_port}/",
            "DEFAULT_FROM_EMAIL": "Parley <parley@chat.example.org>",
        }
        done = run_with(said, SEND)
        assert done.returncode == 0, done.stderr
        [(_, token, mail)] = Provider.asked
        assert token == "t=1"
        assert (mail["From"], mail["To"]) == (said["DEFAULT_FROM_EMAIL"], "alice@example.com")


class TestVerification:
    @pytest.mark.parametrize(
        ("environment", "complaint"),
        [
            ({"EMAIL_VERIFICATION": "yes"}, "off, optional or required"),
            ({"EMAIL_VERIFICATION": "required", "EMAIL_HOST": ""}, "needs EMAIL_HOST"),
            ({"PUBLIC_URL": "chat.example.org"}, "PUBLIC_URL"),
            ({"EMAIL_USE_TLS": "true", "EMAIL_USE_SSL": "true"}, "exclude each other"),
        ],
    )
    def test_refuses_to_start_with_what_cannot_work(self, run_with, environment, complaint):
        done = run_with(environment, "")
        assert done.returncode != 0
        assert complaint in done.stderr

    def test_may_be_required_where_mails_go_somewhere(self, run_with):
        done = run_with({"EMAIL_VERIFICATION": "required", "EMAIL_HOST": "mail.example.org"}, SHOW)
        assert done.stdout.strip() == "django.core.mail.backends.smtp.EmailBackend"
