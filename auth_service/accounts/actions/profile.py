"""Changing what a person shows of themselves."""

from django.db import transaction

from accounts.actions.events import tell_user_changed
from accounts.models import User


def change_profile(*, user: User, display_name: str | None = None) -> User:
    """Change what is given, and nothing else."""
    if display_name is not None:
        user.display_name = display_name
        with transaction.atomic():
            user.save(update_fields=["display_name"])
            tell_user_changed(user_id=user.pk)
    return user
