"""How both doors read JSON: strictly, and within bounds."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.parsers import BaseParser

from service_kit.refusals import Refusal

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32


def decode_json(data: bytes | str, *, most: int = MAX_BYTES, deepest: int = MAX_DEPTH) -> Any:  # noqa: ANN401 - any JSON value
    """Decode one JSON text (RFC 8259) of at most so many bytes and levels.

    Raises Refusal `too_large` above that and `invalid` for anything that is not strict JSON in
    UTF-8 (NaN, infinities, a BOM, half surrogates, also escaped), is deeper, or holds a NUL.
    """
    raw = _bytes(data)
    if len(raw) > most:
        raise Refusal("too_large", f"At most {most} bytes of JSON are accepted.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal("invalid", f"This is not valid JSON: {error}.") from None
    if raw.count(b"[") + raw.count(b"{") > deepest and _is_too_deep(value, deepest):
        raise Refusal("invalid", f"JSON may be nested {deepest} levels deep, no more.")
    # orjson refuses a bare NUL itself, so only the escaped form is left to find.
    if b"\\u0000" in raw and _holds_nul(value):
        raise Refusal("invalid", "The character NUL is not accepted.")
    return value


def decode_object(
    data: bytes | str, *, most: int = MAX_BYTES, deepest: int = MAX_DEPTH
) -> dict[str, Any]:
    """Decode as `decode_json` does, and refuse as `invalid` what is not an object."""
    value = decode_json(data, most=most, deepest=deepest)
    if type(value) is not dict:
        raise Refusal("invalid", "A JSON object is expected.")
    return value


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode()
    except UnicodeEncodeError:
        raise Refusal("invalid", "Half a surrogate pair is not text.") from None


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _is_too_deep(value: object, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        level = [child for parent in level for child in _children(parent)]
    return any(isinstance(node, (dict, list)) for node in level)


def _holds_nul(value: object) -> bool:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str) and "\0" in node:
            return True
        waiting.extend(_children(node))
    return False


class StrictJSONParser(BaseParser):
    """DRF's door to `decode_json`; never reads more of a body than may be accepted."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 - as in the base class
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - as in the base class
    ) -> Any:  # noqa: ANN401 - any JSON value
        most = settings.LIMITS["JSON_BYTES"]
        raw = stream.read(most + 1)
        return decode_json(raw, most=most, deepest=settings.LIMITS["JSON_DEPTH"])
