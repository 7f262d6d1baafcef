"""What goes out: JSON texts, framed for the wire at most once per process."""

from functools import cached_property
from typing import Final

from service_kit.refusals import Refusal
from service_kit.rendering import encode_json

_FINAL_TEXT: Final = 0x81
_FINAL_CLOSE: Final = 0x88
_SHORT: Final = 126
_MIDDLE: Final = 1 << 16


class Frame:
    """One text message to clients, or several that belong together.

    `wire` is made when first needed and then shared. A passing frame may be left out for a client
    that reads slowly.
    """

    def __init__(self, *texts: bytes, kind: str = "", is_passing: bool = False) -> None:
        self.texts = texts
        self.kind = kind
        self.is_passing = is_passing

    @cached_property
    def wire(self) -> bytes:
        """Unmasked frames of a server (RFC 6455 section 5.2)."""
        return b"".join([_head(_FINAL_TEXT, len(text)) + text for text in self.texts])


def close_wire(code: int, reason: str) -> bytes:
    """A close frame (RFC 6455 section 5.5.1)."""
    body = code.to_bytes(2, "big") + reason.encode()
    return _head(_FINAL_CLOSE, len(body)) + body


def _head(first: int, length: int) -> bytes:
    if length < _SHORT:
        return bytes((first, length))
    if length < _MIDDLE:
        return bytes((first, _SHORT)) + length.to_bytes(2, "big")
    return bytes((first, _SHORT + 1)) + length.to_bytes(8, "big")


def ack_frame(ref: str, **body: object) -> Frame:
    return Frame(encode_json({"type": "ack", "ref": ref, **body}))


def message_ack_frame(ref: str, message: bytes, **body: object) -> Frame:
    """The ack of what gives a message, around its text, which was made once for all."""
    head = encode_json({"type": "ack", "ref": ref, **body})
    return Frame(head[:-1] + b',"message":' + message + b"}")


def synced_frame(*, ref: str | None, **body: object) -> Frame:
    """The end of what a `sync` brought (contract §5)."""
    told = {"type": "synced", "ref": ref, **body}
    return Frame(encode_json({key: value for key, value in told.items() if value is not None}))


def error_frame(refusal: Refusal, *, ref: str | None, room_id: int | None) -> Frame:
    """A refusal as contract §1 shows it over WebSocket; absent parts are left out."""
    body = {
        "type": "error",
        "ref": ref,
        "room": room_id,
        "code": refusal.code,
        "detail": refusal.detail,
        "retry_after": refusal.retry_after,
        "errors": list(refusal.errors) or None,
    }
    return Frame(encode_json({key: value for key, value in body.items() if value is not None}))
