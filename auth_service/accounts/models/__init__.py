"""What auth_service keeps: people, their sessions, what others must hear of both, keys and mails."""

from accounts.models.events import Event, EventCounter
from accounts.models.keys import StoredKey
from accounts.models.mail import Mail, MailCode
from accounts.models.people import USERNAME_LETTER, USERNAME_PATTERN, User
from accounts.models.security import Attempts, SecurityEvent
from accounts.models.sessions import Session

__all__ = [
    "USERNAME_LETTER",
    "USERNAME_PATTERN",
    "Attempts",
    "Event",
    "EventCounter",
    "Mail",
    "MailCode",
    "SecurityEvent",
    "Session",
    "StoredKey",
    "User",
]
