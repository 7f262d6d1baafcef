"""Whatever another server does, asking it ends soon, and with what it was asked for or nothing."""

import json
import time
from http.client import HTTPException

import pytest

from service_kit.fetching import MAX_BYTES, fetch
from shared.tests.key_server import key_server


class TestFetch:
    @pytest.fixture
    def server(self):
        with key_server() as server:
            yield server

    def test_gives_what_is_published(self, server):
        assert fetch(server.url + "keys?v=1") == server.answer
        assert server.fetches == ["/keys?v=1"]

    def test_follows_no_redirect(self, server):
        server.answer = server.redirect
        with pytest.raises(ValueError, match="302"):
            fetch(server.url)
        assert server.fetches == ["/"]

    def test_reads_no_more_than_it_must(self, server):
        server.answer = b" " * MAX_BYTES
        assert len(fetch(server.url)) == MAX_BYTES
        server.answer = server.flood
        with pytest.raises(ValueError, match="too long"):
            fetch(server.url)
        # What the sockets' buffers took is no reading of ours.
        assert server.megabytes < 25

    @pytest.mark.parametrize("how", ["hang", "drip"])
    def test_gives_up_in_three_seconds(self, server, how):
        server.answer = getattr(server, how)
        began = time.monotonic()
        try:
            data = fetch(server.url)
        except (OSError, ValueError, HTTPException):
            data = b""
        assert 2.5 < time.monotonic() - began < 3.5
        # What had come by then is never more than a part.
        assert data.strip() == b""

    @pytest.mark.parametrize(
        "url",
        ["file:///etc/passwd", "ftp://127.0.0.1/", "//x/", "", "http://", "http://a:b@127.0.0.1/"],
    )
    def test_refuses_other_addresses(self, url):
        with pytest.raises(ValueError, match="http"):
            fetch(url)

    def test_says_so_when_nobody_answers(self):
        with pytest.raises(OSError, match="refused"):
            fetch("http://127.0.0.1:1/")

    def test_reads_json_as_it_stands(self, server):
        server.answer = json.dumps({"keys": []}).encode()
        assert fetch(server.url) == b'{"keys": []}'

    def test_says_who_asks(self, server):
        shown = []
        server.answer = lambda handler: shown.append(handler.headers["Authorization"])
        with pytest.raises((OSError, HTTPException)):
            fetch(server.url, headers={"Authorization": "Bearer x"})
        assert shown == ["Bearer x"]

    def test_takes_as_much_and_as_long_as_it_may(self, server):
        server.answer = b" " * (MAX_BYTES + 1)
        assert len(fetch(server.url, most=MAX_BYTES + 1)) == MAX_BYTES + 1
        server.answer = server.hang
        began = time.monotonic()
        with pytest.raises((OSError, HTTPException)):
            fetch(server.url, seconds=0.3)
        assert time.monotonic() - began < 1
