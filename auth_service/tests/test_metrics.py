"""What a process counts, as Prometheus reads it; its mail server is away."""

from datetime import timedelta

import pytest
from django.db.models import F
from prometheus_client import REGISTRY

from accounts.actions.mails import mail_code
from accounts.models import Mail, MailCode
from auth_service.tests.servers import PASSWORD, start_servers
from e2e.metrics import Counted, read
from local.ports import LOOPBACK, free_ports


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    away = {"EMAIL_HOST": LOOPBACK, "EMAIL_PORT": str(free_ports(1)[0])}
    folder = tmp_path_factory.mktemp("servers")
    with start_servers(folder, number=1, LIMIT_LOGINS_PER_MINUTE="2", **away) as servers:
        yield servers


@pytest.fixture
def counted(server):
    return Counted(f"http://{LOOPBACK}:{server.ports[0]}/metrics")


class TestMetrics:
    def test_count_what_became_of_logins(self, server, counted):
        server.sign_up("alice")
        right = {"username": "alice", "password": PASSWORD}
        asked = [right, *[right | {"password": "wrong"}] * 2, right]
        told = [server.ask("POST", "/api/auth/login/", each).status for each in asked]
        assert told == [200, 401, 401, 429]
        for event, times in {"login.succeeded": 1, "login.failed": 2, "request.limited": 1}.items():
            assert counted("parley_security_events_total", event) == times

    def test_show_the_mails_that_wait_and_since_when(self, server, counted):
        server.sign_up("bob")
        with server.link() as link, link.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_mail")
            [waiting] = cursor.fetchone()
        more = waiting - counted.before["parley_mails_waiting", ""]
        counted.soon("parley_mails_waiting", at_least=more, within=20)
        assert read(counted.url)["parley_mails_waiting", ""] == waiting > 0
        first = read(counted.url)["parley_mails_oldest_seconds", ""]
        # Also between two looks of the postman.
        assert read(counted.url)["parley_mails_oldest_seconds", ""] > first > 0

    def test_are_for_whoever_asks_by_address(self, counted):
        assert read(counted.url, host="authservice:8080")


class TestMails:
    def test_count_by_what_became_of_them(self, alice, inbox):
        def outcomes():
            found = {}
            for outcome in ("sent", "refused", "given up"):
                about = {"outcome": outcome}
                found[outcome] = REGISTRY.get_sample_value("parley_mails_total", about) or 0
            return found

        before = outcomes()
        assert len(inbox.deliver()) == 1
        for refusal, hours in (("550 No such user", 0), ("", 2)):
            mail_code(MailCode.RESET, address="alice@example.com")
            Mail.objects.update(created_at=F("created_at") - timedelta(hours=hours))
            inbox.refuses_rcpt = refusal
            inbox.deliver()
        assert {name: number - before[name] for name, number in outcomes().items()} == {
            "sent": 1,
            "refused": 1,
            "given up": 1,
        }
