"""The one shape each noun is shown in."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.models import Event, Session, User

# What is told of an account that is no more.
GONE = {
    "username": "",
    "display_name": "",
    "avatar": None,
    "active": False,
    "privacy": {"find_me": "nobody", "last_seen": "nobody", "read_receipts": False},
}
AVATARS = "/api/auth/avatars/"


def user_json(user: User) -> dict[str, Any]:
    """Return what a person is shown of their own account."""
    return {
        "id": str(user.pk),
        "username": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "bio": user.bio,
        "avatar": avatar_path(user),
        "time_zone": user.time_zone,
        "locale": user.locale,
        "email_verified": user.email_verified_at is not None,
        "mfa_enabled": user.mfa_enabled_at is not None,
        "created_at": user.created_at,
        "privacy": privacy_json(user),
    }


def privacy_json(user: User) -> dict[str, Any]:
    """Return what a person lets others know."""
    return {
        "find_me": user.find_me,
        "last_seen": user.last_seen,
        "read_receipts": user.read_receipts,
    }


def avatar_path(user: User) -> str | None:
    """Return where a person's picture is, at whichever address the gateway was reached."""
    return f"{AVATARS}{user.avatar}" if user.avatar else None


def profile_json(user: User) -> dict[str, Any]:
    """Return what everybody with credentials is shown of a person."""
    return {
        "id": str(user.pk),
        "username": user.username,
        "display_name": user.display_name,
        "avatar": avatar_path(user),
    }


def known_json(user: User) -> dict[str, Any]:
    """Return what the other service knows of a person."""
    return {**profile_json(user), "is_active": user.is_active, "privacy": privacy_json(user)}


def session_json(session: Session, *, current: UUID) -> dict[str, Any]:
    """Return what a person is shown of a session of theirs; `current` is the one that asks."""
    return {
        "id": str(session.pk),
        "device": session.device,
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "current": session.pk == current,
    }


def event_json(event: Event, people: Mapping[str, User]) -> dict[str, Any]:
    """Return an event as the other service reads it, with the person as they are now."""
    data = event.data
    if event.type == "user.changed":
        user = people.get(data["user_id"])
        data = _profile_told(user) if user else {**GONE, **data}
    return {"id": event.pk, "type": event.type, "at": event.at, "data": data}


def _profile_told(user: User) -> dict[str, Any]:
    known = known_json(user)
    return {"user_id": known.pop("id"), "active": known.pop("is_active"), **known}
