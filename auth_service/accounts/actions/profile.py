"""Changing what a person shows of themselves, and what they let others know."""

from typing import Any, Final

from django.db import transaction

from accounts.actions.events import tell_user_changed
from accounts.models import User

# What the other service shows or keeps to.
_TOLD: Final = frozenset({"display_name", "find_me", "last_seen", "read_receipts"})


def change_profile(*, user: User, **changes: Any) -> User:  # noqa: ANN401 - of ProfileInput
    """Change what is given, as ProfileInput has validated it, and nothing else."""
    if not changes:
        return user
    for name, value in changes.items():
        setattr(user, name, value)
    with transaction.atomic():
        user.save(update_fields=list(changes))
        if not _TOLD.isdisjoint(changes):
            tell_user_changed(user_id=user.pk)
    return user
