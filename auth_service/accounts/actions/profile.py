"""Changing what a person shows of themselves, and what they let others know."""

from typing import Any, Final

from django.db import transaction

from accounts.actions.events import tell_user_changed
from accounts.models import Session, User
from accounts.permissions import locked_owner

# What the other service shows or keeps to.
_TOLD: Final = frozenset({"display_name", "find_me", "last_seen", "read_receipts"})


def change_profile(*, session: Session, **changes: Any) -> User:  # noqa: ANN401 - of ProfileInput
    """Change what is given, as ProfileInput has validated it, and nothing else; SessionOver."""
    if not changes:
        return session.user
    with transaction.atomic():
        user = locked_owner(session)
        for name, value in changes.items():
            setattr(user, name, value)
        user.save(update_fields=list(changes))
        if not _TOLD.isdisjoint(changes):
            tell_user_changed(user_id=user.pk)
    return user
