"""`manage.py deactivate <username>`."""

from accounts.actions.closing import deactivate
from accounts.management.account_command import AccountCommand


class Command(AccountCommand):
    help = "Let a person in no more, and end their sessions everywhere. Nothing is lost."
    done = "deactivated"

    def act(self, *, user_id: int) -> None:
        deactivate(user_id=user_id)
