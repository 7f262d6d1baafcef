"""`manage.py reset_mfa <username>`."""

from accounts.actions.mfa.enrolling import reset_mfa
from accounts.management.account_command import AccountCommand


class Command(AccountCommand):
    help = (
        "Switch the second factor off for somebody who lost authenticator and recovery codes, and"
        " end their sessions everywhere. Make sure who asks: the password is enough afterwards."
    )
    done = "without a second factor"

    def act(self, *, user_id: int) -> None:
        reset_mfa(user_id=user_id)
