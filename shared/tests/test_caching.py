"""Nobody keeps an answer, whichever it is, unless its view says so."""

import pytest
from django.test import Client


def cache_control(path):
    return Client(raise_request_exception=False).get(path)["Cache-Control"]


class TestNoStoreMiddleware:
    @pytest.mark.parametrize(
        "path",
        ["/hello/", "/health/live", "/raise/refused/", "/raise/bug/", "/plain/bug/", "/nowhere/"],
    )
    def test_lets_nobody_keep(self, path):
        assert cache_control(path) == "no-store"

    def test_leaves_a_view_its_word(self):
        assert cache_control("/kept/") == "public, max-age=300"
