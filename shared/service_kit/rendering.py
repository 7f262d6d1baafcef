"""How both services write JSON."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


def timestamp(moment: datetime) -> str:
    """Write an aware datetime as RFC 3339 UTC with six decimals: `2026-01-29T10:30:00.123456Z`.

    Raises ValueError for a naive one, which could mean any hour.
    """
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise ValueError("a time without a zone cannot be told")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def encode_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Encode dicts with string keys, lists and scalars, aware datetimes, UUIDs and lazy strings.

    Raises TypeError for what has no JSON form. NaN and the infinities become null.
    """
    return orjson.dumps(value, _other, orjson.OPT_PASSTHROUGH_DATETIME)


def _other(value: object) -> object:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, (Promise, Decimal)):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class OrjsonRenderer(JSONRenderer):
    """DRF's JSON renderer on orjson: compact, UTF-8, times with six decimals."""

    def render(
        self,
        data: Any,  # noqa: ANN401 - as in the base class
        accepted_media_type: str | None = None,  # noqa: ARG002 - as in the base class
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - as in the base class
    ) -> bytes:
        return b"" if data is None else encode_json(data)


class JSONAlways(BaseContentNegotiation):
    """Answer in JSON whatever `Accept` says, as RFC 9110 section 12.5.1 allows: never 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - as in the base class
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - as in the base class
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)
