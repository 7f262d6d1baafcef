"""How a load client speaks to each system: what it sends, and what the answers begin with."""

from __future__ import annotations

from dataclasses import dataclass, field

BODY = "The quick brown fox jumps over the lazy dog while 100 bytes of text pass the socket."
WIDE = "\N{GRINNING FACE}"
_DIGITS = 7
MARK = b"@"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """`ready`, `delivered` and `refused` are how such texts begin; `answers` go to what begins so.

    `{content}` and `{client_id}` stand for themselves in `message`.
    """

    message: str
    ready: bytes
    delivered: bytes
    refused: bytes = b"\0"
    answers: dict[bytes, bytes] = field(default_factory=dict)

    def text(self, number: int, prefix: str, size: int) -> bytes:
        """Return message `number`, its content `size` bytes (100 at least) that name it."""
        content = f"@{number:0{_DIGITS}} {BODY}".ljust(100, "!") + WIDE * ((size - 100) // 4)
        message = self.message.replace("{content}", content)
        return message.replace("{client_id}", f"{prefix}-{number}").encode()

    def answer(self, text: bytes) -> bytes | None:
        for beginning, answer in self.answers.items():
            if text.startswith(beginning):
                return answer
        return None


def number_in(text: bytes) -> int:
    """Return the number of the message a delivered text carries."""
    start = text.index(MARK) + 1
    return int(text[start : start + _DIGITS])


_COMMAND = '{"type":"message","ref":"1","client_id":"{client_id}","content":"{content}"}'

DIALECTS = {
    "parley": Dialect(
        message=_COMMAND,
        ready=b'{"type":"ready"',
        delivered=b'{"type":"message",',
        refused=b'{"type":"error"',
    ),
    "tutorial": Dialect(
        message=_COMMAND, ready=b'{"type": "ready"', delivered=b'{"type": "message",'
    ),
    # Engine.IO 4 opens with 0{…} and asks with 2; Socket.IO 5 connects with 40 and acknowledges
    # what was sent as 420[…] with 430[…].
    "socket.io": Dialect(
        message='42["message",{"room":"crowd","content":"{content}"}]',
        ready=b"430",
        delivered=b'42["message",',
        answers={b"0{": b"40", b"40": b'420["join","crowd"]', b"2": b"3"},
    ),
}
