"""JSON goes out compact, in UTF-8, with times that sort as text."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import orjson
import pytest
from django.test import Client
from django.utils.functional import lazystr

from service_kit.rendering import OrjsonRenderer, encode_json, timestamp

NOON = datetime(2026, 1, 29, 12, tzinfo=UTC)


class TestTimestamp:
    def test_always_has_six_decimals(self):
        assert timestamp(NOON) == "2026-01-29T12:00:00.000000Z"
        assert timestamp(NOON.replace(microsecond=123456)) == "2026-01-29T12:00:00.123456Z"

    def test_is_in_utc(self):
        assert timestamp(NOON.astimezone(timezone(timedelta(hours=-7)))) == timestamp(NOON)

    def test_refuses_a_time_without_a_zone(self):
        with pytest.raises(ValueError, match="zone"):
            timestamp(NOON.replace(tzinfo=None))


class TestEncodeJson:
    def test_writes_what_orjson_cannot(self):
        value = {"at": NOON, "lazy": lazystr("né"), "sum": Decimal("1.50"), "for": timedelta(0, 90)}
        assert orjson.loads(encode_json(value)) == {
            "at": "2026-01-29T12:00:00.000000Z",
            "lazy": "né",
            "sum": "1.50",
            "for": 90.0,
        }

    def test_writes_uuids(self):
        assert encode_json(UUID(int=1)) == b'"00000000-0000-0000-0000-000000000001"'

    def test_refuses_what_has_no_json_form(self):
        with pytest.raises(TypeError):
            encode_json(object())


class TestOrjsonRenderer:
    def test_writes_nothing_for_nothing(self):
        assert OrjsonRenderer().render(None) == b""

    def test_is_used_whatever_accept_says(self):
        client = Client(headers={"Accept": "text/html;q=1, application/xml"})
        answer = client.post("/echo/", b'{"a":"\xc3\xa9"}', content_type="application/json")
        assert (answer.status_code, answer.content) == (200, b'{"got":{"a":"\xc3\xa9"}}')
        assert answer["Content-Type"] == "application/json"
