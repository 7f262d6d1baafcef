"""An authenticator as RFC 6238 and RFC 4226 describe it, for itself."""

import hmac
from base64 import b32decode
from dataclasses import dataclass

STEP = 30


@dataclass
class Authenticator:
    """Shows the code of a moment, in seconds since 1970."""

    secret: str

    @property
    def key(self) -> bytes:
        return b32decode(self.secret)

    def code(self, at: float, digits: int = 6) -> str:
        step = (int(at) // STEP).to_bytes(8, "big")
        digest = hmac.digest(self.key, step, "sha1")
        start = digest[-1] & 15
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
        return str(number)[-digits:].zfill(digits)
