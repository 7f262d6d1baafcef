"""`manage.py erase <username>`."""

from accounts.actions.leaving.erasing import erase_account
from accounts.management.account_command import AccountCommand


class Command(AccountCommand):
    help = "Erase an account and all that is kept of its owner, for good, in both services."
    done = "erased"

    def act(self, *, user_id: int) -> None:
        erase_account(user_id=user_id)
