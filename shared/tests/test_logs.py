"""Every line is one JSON object that ties to its request, and no secret is ever in one."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client, RequestFactory

from service_kit.authentication import Caller
from service_kit.logs import JsonLines, logging_settings, request_id
from service_kit.testing import token_for
from service_kit.tokens import verify

CANARY = "CANARY-7f3a"
ROOT = Path(__file__).resolve().parents[2]


def line_of(message, *arguments, level=logging.INFO, **extra):
    record = logging.makeLogRecord(
        {"name": "some.where", "msg": message, "args": arguments, "levelno": level}
        | {"levelname": logging.getLevelName(level)}
        | extra
    )
    return JsonLines("kit").format(record)


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def said(*arguments, **extra):
    return json.loads(line_of(*arguments, **extra))


class TestJsonLines:
    def test_says_when_who_and_what(self):
        line = said("told %s", "Zoë", level=logging.WARNING)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
        assert line == {
            "level": "WARNING",
            "logger": "some.where",
            "service": "kit",
            "request_id": "",
            "message": "told Zoë",
        }

    def test_adds_plain_extras_only(self):
        line = said("x", status=200, path="/a/", none=None, rows=[1], thing=object())
        assert {name: line[name] for name in ("status", "path", "none")} == {
            "status": 200,
            "path": "/a/",
            "none": None,
        }
        assert not {"rows", "thing"} & set(line)

    @pytest.mark.parametrize("name", ["token", "Authorization", "cookie", "body", "password"])
    def test_leaves_out_what_is_nobody_s_business(self, name):
        assert CANARY not in line_of("x", **{name: CANARY})

    @pytest.mark.parametrize(
        "text",
        [
            f'"WebSocket /ws/chat/1/?token={CANARY}" [accepted]',
            f'"GET /x?a=\'b"&token={CANARY} HTTP/1.1" 404',
            f"/x?{CANARY}",
            f"Authorization: Bearer {CANARY}",
            f"{{'authorization': 'bearer {CANARY}'}}",
            f"Sec-WebSocket-Protocol: parley.v1, bearer.{CANARY}",
            f"cannot read eyJhbGciOiJFZERTQSJ9.{CANARY}.{CANARY}",
        ],
    )
    def test_cuts_secrets_out_of_any_text(self, text):
        assert CANARY not in line_of("%s", text)
        assert CANARY not in line_of("x", note=text)
        assert CANARY not in line_of("x", exc_info=raised(ValueError(text)))

    def test_leaves_questions_alone(self):
        assert said("Really? Yes.")["message"] == "Really? Yes."

    @pytest.mark.parametrize(
        "evil", ["\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x1b[2J", "\x9b2J", "\0"]
    )
    def test_cannot_be_made_to_forge_a_line(self, evil):
        forged = f"/a{evil}" + '{"level":"CRITICAL"}'
        text = line_of(forged, path=forged, **{f"na{evil}me": 1})
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(text)["path"] == forged

    def test_survives_half_surrogates(self):
        assert said("\ud800")["message"] == "\ud800"

    def test_holds_tracebacks_in_one_line(self):
        text = line_of("x", exc_info=raised(RuntimeError("boom")))
        assert "\n" not in text
        assert "RuntimeError: boom" in json.loads(text)["exception"]


class TestRequestIdMiddleware:
    def get(self, given=None, path="/hello/", **options):
        headers = {} if given is None else {"X-Request-ID": given}
        return Client(**options).get(path, headers=headers)

    @pytest.mark.parametrize("given", ["a", "A-1-b", "x" * 64])
    def test_keeps_a_good_id(self, given, lines):
        assert self.get(given)["X-Request-ID"] == given
        assert [line["request_id"] for line in lines()] == [given]

    @pytest.mark.parametrize(
        "given", [None, "", "x" * 65, "a b", "a_b", "é", "a\n", 'a"b', "a;b", "../a", "٣"]
    )
    def test_replaces_a_bad_one(self, given, lines):
        chosen = self.get(given)["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", chosen)
        assert [line["request_id"] for line in lines()] == [chosen]

    def test_gives_each_request_its_own(self):
        assert self.get()["X-Request-ID"] != self.get()["X-Request-ID"]

    def test_leaves_nothing_behind(self):
        self.get("a")
        assert request_id.get() == ""

    @pytest.mark.parametrize("path", ["/nowhere/", "/plain/bug/", "/raise/away/", "/whoami/"])
    def test_answers_refusals_too(self, path):
        assert self.get("a", path, raise_request_exception=False)["X-Request-ID"] == "a"

    def test_logs_one_line_per_request(self, lines):
        token = token_for(7)
        Client().get("/whoami/?x=1", headers={"Authorization": f"Bearer {token}"})
        (line,) = lines()
        assert line["duration_ms"] >= 0
        wanted = {"level": "INFO", "logger": "service_kit.access", "message": "request"}
        wanted |= {"method": "GET", "path": "/whoami/", "status": 200, "user_id": "7"}
        assert {name: line[name] for name in wanted} == wanted

    def test_logs_a_refusal_once(self, lines):
        self.get(path="/nowhere/")
        (line,) = lines()
        assert (line["status"], line["user_id"]) == (404, None)

    def test_does_not_log_probes_that_pass(self, lines):
        self.get(path="/health/live")
        assert lines() == []

    def test_never_asks_the_database_who_it_was(self, lines):
        from django.utils.functional import SimpleLazyObject

        from service_kit.logs import _user_id

        def query():
            raise AssertionError("asked")

        request = RequestFactory().get("/")
        request.user = SimpleLazyObject(query)
        assert _user_id(request) is None
        request.user = SimpleLazyObject(lambda: Caller(verify(token_for(7))))
        assert request.user.id == "7"
        assert _user_id(request) == "7"


class TestCanary:
    """No query, header or body ever reaches a log line, whatever becomes of the request."""

    @pytest.mark.parametrize("debug", [False, True])
    @pytest.mark.parametrize(
        "path",
        [
            "/hello/",
            "/nowhere/",
            "/whoami/",
            "/echo/",
            "/fill/",
            "/plain/bug/",
            "/plain/away/",
            "/raise/bug/",
            "/raise/missing/",
            "/health/broken",
        ],
    )
    def test_stays_unsaid(self, path, debug, lines, settings):
        settings.DEBUG = debug
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = CANARY
        headers = {"Authorization": f"Bearer {CANARY}", "X-Other": CANARY, "Host": "testserver"}
        for method in ("GET", "POST", "DELETE"):
            client.generic(
                method,
                f"{path}?token={CANARY}&x='{CANARY}'",
                data=f'{{"content": "{CANARY}"}}',
                content_type="application/json",
                headers=headers,
            )
        written = json.dumps(lines())
        assert path in written or path.startswith("/health")
        assert CANARY not in written

    def test_stays_unsaid_by_a_refused_host(self, lines):
        Client().get(f"/hello/?{CANARY}", headers={"Host": f"{CANARY}.example"})
        assert f"?{CANARY}" not in json.dumps(lines())


PROGRAM = """
import logging, logging.config, sys
logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler())
logging.getLogger("gunicorn.error").addHandler(logging.StreamHandler())
logging.getLogger("gunicorn.error").propagate = False
from service_kit.logs import logging_settings
logging.config.dictConfig(logging_settings("kit", sys.argv[1]))
for name in ("uvicorn.error", "gunicorn.error", "httpx", "django.db.backends", "django.server"):
    logging.getLogger(name).info("quiet %s", name)
    logging.getLogger(name).warning("loud %s", name)
logging.getLogger("own").info("own")
logging.getLogger("own").debug("debug")
"""


class TestLoggingSettings:
    def written(self, level):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, level],
            env={"PYTHONPATH": str(ROOT / "shared"), "DJANGO_SETTINGS_MODULE": "none"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == ""
        return [json.loads(line)["message"] for line in done.stderr.splitlines()]

    def test_hears_servers_from_warning_up_and_each_line_once(self):
        assert self.written("INFO") == [
            "loud uvicorn.error",
            "loud gunicorn.error",
            "loud httpx",
            "loud django.db.backends",
            "loud django.server",
            "own",
        ]

    def test_lets_no_server_talk_in_debug_either(self):
        assert not [message for message in self.written("DEBUG") if message.startswith("quiet")]

    def test_takes_a_level(self):
        assert "own" not in self.written("WARNING")
        assert "debug" in self.written("DEBUG")
        assert logging_settings("kit")["root"]["level"] == "INFO"
