"""What auth_service keeps: people, sessions, keys, mails, and what others must hear."""

from accounts.models.events import Event, EventCounter
from accounts.models.keys import StoredKey
from accounts.models.mail import Mail, MailCode
from accounts.models.mfa import LoginChallenge, RecoveryCode, SecondFactor
from accounts.models.people import (
    BIO_LENGTH,
    LOCALE_LENGTH,
    USERNAME_LETTER,
    USERNAME_PATTERN,
    ZONE_LENGTH,
    FindMe,
    LastSeen,
    User,
)
from accounts.models.security import Attempts, SecurityEvent
from accounts.models.sessions import Session

__all__ = [
    "BIO_LENGTH",
    "LOCALE_LENGTH",
    "USERNAME_LETTER",
    "USERNAME_PATTERN",
    "ZONE_LENGTH",
    "Attempts",
    "Event",
    "EventCounter",
    "FindMe",
    "LastSeen",
    "LoginChallenge",
    "Mail",
    "MailCode",
    "RecoveryCode",
    "SecondFactor",
    "SecurityEvent",
    "Session",
    "StoredKey",
    "User",
]
