"""A person as everybody sees him."""

from typing import Any

from messaging.models import Profile


def profile_json(profile: Profile) -> dict[str, Any]:
    """The one shape of a person in answers and events (contract §4)."""
    return {
        "user_id": profile.user_id,
        "username": profile.username,
        "display_name": profile.display_name,
        "avatar": profile.avatar,
    }
