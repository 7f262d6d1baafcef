"""What messaging itself knows of people."""

from collections.abc import Sequence
from typing import Any

from django.db.models.functions import Lower

from messaging.models import Profile
from messaging.permissions.privacy import found_by
from messaging.serializers.profiles import profile_json


def profile_of(user_id: str) -> Profile | None:
    return Profile.objects.filter(pk=user_id).first()


def profile_named(username: str) -> Profile | None:
    """The person who last showed this name, without regard to case."""
    named = Profile.objects.annotate(folded=Lower("username")).filter(
        folded=username.lower(), erased_at=None
    )
    return named.order_by("-updated_at").first()


def show_profiles(user_ids: Sequence[str], *, viewer_id: str) -> list[dict[str, Any]]:
    """The JSON of those of these people whom he may find, in the order of their ids."""
    known = Profile.objects.filter(pk__in=user_ids).order_by("pk")
    found = found_by(viewer_id, known)
    return [profile_json(profile) for profile in known if profile.user_id in found]
