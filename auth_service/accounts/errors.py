"""What auth_service can refuse.

Refusal
├── WrongCredentials   not_authenticated  the name, the password or the account; never which
├── TooManyTries       rate_limited       too many of something, or too many wrong ones
├── RefreshRefused     not_authenticated  a refresh token that is not the newest of a live session
├── SessionOver        session_revoked    a genuine access token of a session that has ended
├── NameTaken          conflict           a username or e-mail address that somebody has
├── EmailUnverified    forbidden          an account that may log in once its address is confirmed
├── WrongCode          invalid            no code of this account, or one used or too old
├── WrongPassword      invalid            not the password of the account that is to be changed
├── MfaRequired        mfa_required       a login that lacks a code; it brings a challenge
├── ChallengeOver      not_authenticated  no challenge of ours, or one that was used or is too old
├── LoginCodeRefused   not_authenticated  a WrongCode of who is not logged in yet
├── PasswordNeeded     invalid            a session that began too long ago to do this without
├── MfaAlreadyOn       conflict           a second factor that is switched off first
├── MfaNotBegun        conflict           a code of a secret that was never asked for
├── MfaOff             conflict           recovery codes of no second factor
├── NoSuchPicture      not_found          a picture that nobody shows
├── NoSuchSession      not_found          no session of one's own, or one that has ended
├── NoKeysToRotate     conflict           keys that are changed by hand, or cannot be made here
├── KeyTooNew          conflict           a key that not everybody may know yet
├── NoPicture          unsupported_media_type  bytes that are no JPEG, PNG or WebP
├── PictureTooLarge    too_large          more bytes, or more pixels, than are accepted
├── BadPicture         invalid            one that is broken, moves, or is more than a picture
├── PicturesUnavailable  unavailable      pictures cannot be drawn, or kept, now
├── NotErased          unavailable        an account of which something cannot be removed now
├── ExportUnavailable  unavailable        not all that is kept of somebody can be had now
└── NoSuchUser         not_found          an id or name that belongs to no active account
"""

from collections.abc import Sequence
from datetime import datetime

from service_kit.refusals import FieldError, Refusal


class _FieldRefusal(Refusal):
    """One because of one field of what was asked: `why` is for programs, as `code` is."""

    def __init__(self, code: str, field: str, why: str, detail: str) -> None:
        super().__init__(code, detail, errors=[FieldError(field=field, code=why, detail=detail)])


class WrongCredentials(Refusal):
    is_told = True

    def __init__(self) -> None:
        super().__init__("not_authenticated", "No active account has these credentials.")


class TooManyTries(Refusal):
    def __init__(self, seconds: int) -> None:
        super().__init__("rate_limited", "Too many tries; wait a while.", retry_after=seconds)


class RefreshRefused(Refusal):
    def __init__(self) -> None:
        super().__init__("not_authenticated", "This refresh token cannot be used; log in again.")


class SessionOver(Refusal):
    def __init__(self) -> None:
        super().__init__("session_revoked", "This session has ended; log in again.")


class NameTaken(Refusal):
    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(
            "conflict",
            f"Already in use: {', '.join(fields)}.",
            errors=[
                FieldError(field=field, code="taken", detail=f"This {field} is already in use.")
                for field in fields
            ],
        )


class WrongPassword(_FieldRefusal):
    def __init__(self, field: str = "password") -> None:
        super().__init__("invalid", field, "wrong", "This is not the password.")


class EmailUnverified(_FieldRefusal):
    def __init__(self) -> None:
        super().__init__(
            "forbidden",
            "email",
            "unverified",
            "Confirm your e-mail address first, with the code that was mailed to it.",
        )


class WrongCode(_FieldRefusal):
    def __init__(self) -> None:
        super().__init__("invalid", "code", "wrong", "This code is wrong, was used, or is too old.")


class MfaRequired(Refusal):
    is_told = True

    def __init__(self, challenge: str) -> None:
        super().__init__("mfa_required", "Show a code of your authenticator with this challenge.")
        self.members = {"challenge": challenge}


class ChallengeOver(_FieldRefusal):
    def __init__(self) -> None:
        super().__init__(
            "not_authenticated",
            "challenge",
            "over",
            "This challenge can no longer be used; log in again.",
        )


class LoginCodeRefused(Refusal):
    is_told = True

    def __init__(self, wrong: WrongCode) -> None:
        super().__init__("not_authenticated", wrong.detail, errors=wrong.errors)


class PasswordNeeded(_FieldRefusal):
    def __init__(self) -> None:
        super().__init__(
            "invalid",
            "password",
            "required",
            "Show the password too: this session began a while ago.",
        )


class MfaAlreadyOn(Refusal):
    def __init__(self) -> None:
        super().__init__("conflict", "The second factor is on already; switch it off first.")


class MfaNotBegun(Refusal):
    def __init__(self) -> None:
        super().__init__("conflict", "There is no new secret; begin with POST me/mfa/.")


class MfaOff(Refusal):
    def __init__(self) -> None:
        super().__init__("conflict", "The second factor is off.")


class NoSuchSession(Refusal):
    def __init__(self) -> None:
        super().__init__("not_found", "No such session.")


class NoKeysToRotate(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "conflict",
            "Keys are made for JWT_ALGORITHM EdDSA and RS256 alone; a JWT_SECRET is changed in the"
            " settings of both services.",
        )


class KeyTooNew(Refusal):
    def __init__(self, usable_at: datetime) -> None:
        moment = usable_at.isoformat(timespec="seconds")
        super().__init__("conflict", f"The next key may not sign before {moment}.")


class NotErased(Refusal):
    def __init__(self) -> None:
        super().__init__("unavailable", "Nothing was erased. Please try again later.")


class ExportUnavailable(Refusal):
    def __init__(self) -> None:
        detail = "Not everything can be collected now. Please try again later."
        super().__init__("unavailable", detail, retry_after=30)


class NoPicture(Refusal):
    def __init__(self) -> None:
        super().__init__("unsupported_media_type", "A JPEG, PNG or WebP is expected.")


class PictureTooLarge(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__("too_large", detail)


class BadPicture(_FieldRefusal):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__("invalid", "avatar", code, detail)


class PicturesUnavailable(Refusal):
    def __init__(self) -> None:
        super().__init__("unavailable", "Pictures cannot be taken now. Please try again.")


class NoSuchPicture(Refusal):
    def __init__(self) -> None:
        super().__init__("not_found", "No such picture.")


class NoSuchUser(Refusal):
    def __init__(self) -> None:
        super().__init__("not_found", "No such user.")
