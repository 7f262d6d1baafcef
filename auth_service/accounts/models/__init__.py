"""What auth_service keeps: people, their sessions, what others must hear of both, and keys."""

from accounts.models.events import Event, EventCounter
from accounts.models.keys import StoredKey
from accounts.models.people import USERNAME_LETTER, USERNAME_PATTERN, User
from accounts.models.security import Attempts, SecurityEvent
from accounts.models.sessions import Session

__all__ = [
    "USERNAME_LETTER",
    "USERNAME_PATTERN",
    "Attempts",
    "Event",
    "EventCounter",
    "SecurityEvent",
    "Session",
    "StoredKey",
    "User",
]
