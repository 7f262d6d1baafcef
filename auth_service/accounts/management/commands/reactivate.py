"""`manage.py reactivate <username>`."""

from accounts.actions.closing import reactivate
from accounts.management.account_command import AccountCommand


class Command(AccountCommand):
    help = "Let a deactivated person log in again."
    done = "reactivated"

    def act(self, *, user_id: int) -> None:
        reactivate(user_id=user_id)
