"""A command of operators about one account, which they name."""

from typing import ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.permissions import account_named


class AccountCommand(BaseCommand):
    """Does `act` with the account of that name or address, and says what it is then (`done`)."""

    done: ClassVar[str]

    def act(self, *, user_id: int) -> None:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="or e-mail address")

    def handle(self, *_: object, username: str, **__: object) -> None:
        user = account_named(username)
        if user is None:
            raise CommandError("There is no such account.")
        self.act(user_id=user.pk)
        self.stdout.write(f"{user.username} is {self.done}.")
