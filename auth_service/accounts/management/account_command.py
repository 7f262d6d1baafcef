"""A command of operators about one account, which they name."""

from typing import ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.permissions import account_meant


class AccountCommand(BaseCommand):
    """Does `act` with the account of that name, address or id, and says what it is then."""

    done: ClassVar[str]

    def act(self, *, user_id: int) -> None:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="or e-mail address, or id")

    def handle(self, *_: object, username: str, **__: object) -> None:
        user = account_meant(username)
        if user is None:
            raise CommandError("There is no such account.")
        self.act(user_id=user.pk)
        self.stdout.write(f"{user.username} is {self.done}.")
