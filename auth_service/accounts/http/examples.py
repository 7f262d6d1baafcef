"""What bodies look like, for the OpenAPI document: an example of each component, by its name."""

from typing import Any, Final

from service_kit.openapi import put_examples

PASSWORD: Final = "a-walk-by-the-sea"  # noqa: S105 - nobody's
ACCESS: Final = "eyJhbGciOiJFZERTQSIsImtpZCI6IjE3In0.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
REFRESH: Final = "v2nT7c0Yp1wq8LrXz4hJ6sKd3bFm9gQa"
CHALLENGE: Final = "7Qy2mZk0cVn5xT8rLwJ1hB4uGs9aPfEdKoXi6tYvN3M"
SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105 - as above
OTPAUTH_URL: Final = (
    f"otpauth://totp/Parley:alice?digits=6&secret={SECRET}&algorithm=SHA1&issuer=Parley&period=30"
)
QR_CODE: Final = "data:image/svg+xml;charset=utf-8,%3Csvg%20xmlns%3D%27http%3A%2F%2Fwww.w3.org..."
USER: Final[dict[str, Any]] = {
    "id": "1",
    "username": "alice",
    "email": "alice@example.com",
    "display_name": "Alice",
    "bio": "Down the rabbit hole.",
    "avatar": "/api/auth/avatars/1/9f86d081884c7d659a2feaa0c55ad015.webp",
    "time_zone": "Europe/London",
    "locale": "en-GB",
    "email_verified": False,
    "mfa_enabled": False,
    "created_at": "2026-01-29T10:30:00.123456Z",
    "privacy": {"find_me": "everyone", "last_seen": "everyone", "read_receipts": True},
}
PROFILE: Final = {"id": "2", "username": "bob", "display_name": "Bob", "avatar": None}
SESSION: Final = {
    "id": "0b0e3a52-6d0c-4a0e-9f8b-0c5a2f6c1d11",
    "device": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "address": "203.0.113.9",
    "created_at": "2026-01-29T10:30:00.123456Z",
    "last_used_at": "2026-01-29T11:02:17.004211Z",
    "current": True,
}
KEY: Final = {
    "kty": "OKP",
    "use": "sig",
    "alg": "EdDSA",
    "kid": "17",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
MAILED_CODE: Final = {"email": "alice@example.com", "code": "K7Q2M4XD"}
LAST_PAGE: Final = {"next": None, "previous": None}
TOKENS: Final = {"access": ACCESS, "refresh": REFRESH}

EXAMPLES: Final[dict[str, object]] = {
    "RegisterInput": {
        "username": "alice",
        "email": "alice@example.com",
        "password": PASSWORD,
        "display_name": "Alice",
    },
    "LoginInput": {"username": "alice", "password": PASSWORD},
    "LoginCodeInput": {"challenge": CHALLENGE, "code": "492039"},
    "RefreshInput": {"refresh": REFRESH},
    "PasswordChangeInput": {
        "current_password": PASSWORD,
        "new_password": "a-swim-in-the-lake",
    },
    "PatchedProfileInput": {
        "display_name": "Alice Liddell",
        "time_zone": "Europe/London",
        "locale": "en-GB",
        "privacy": {"last_seen": "contacts"},
    },
    "EmailInput": {"email": "alice@example.com"},
    "OwnEmailInput": {"email": "alice@example.com"},
    "CodeInput": MAILED_CODE,
    "ResetInput": {**MAILED_CODE, "new_password": "a-swim-in-the-lake"},
    "Mailed": {"detail": "If an account with this address can use it, a mail is on its way."},
    "MfaBeginInput": {"password": PASSWORD},
    "MfaConfirmInput": {"code": "492039"},
    "PasswordInput": {"password": PASSWORD},
    "RecoveryCodesInput": {"password": PASSWORD},
    "Enrolment": {"secret": SECRET, "otpauth_url": OTPAUTH_URL, "qr_code": QR_CODE},
    "RecoveryCodes": {"recovery_codes": ["mzxw-6ytb-oi5d-k3tf", "nb2h-i4dt-hixs-6mrq"]},
    "User": USER,
    "Tokens": TOKENS,
    "Registered": {"user": USER, **TOKENS},
    "SignedIn": {"user": USER, **TOKENS},
    "PageSignedIn": {"user": USER, "csrf_token": "kq3cY0mZr8VtW5xN2bJ7dLh4uGs9aPfE"},
    "Profile": PROFILE,
    "ProfilePage": {**LAST_PAGE, "results": [PROFILE]},
    "SessionPage": {**LAST_PAGE, "results": [SESSION]},
    "KeySet": {"keys": [KEY]},
}


def add_examples(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Work as one of drf-spectacular's POSTPROCESSING_HOOKS."""
    return put_examples(result, EXAMPLES)
