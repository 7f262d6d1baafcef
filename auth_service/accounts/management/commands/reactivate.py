"""`manage.py reactivate <username>`."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.closing import reactivate
from accounts.permissions import account_named


class Command(BaseCommand):
    help = "Let a deactivated person log in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="or e-mail address")

    def handle(self, *_: object, username: str, **__: object) -> None:
        user = account_named(username)
        if user is None:
            raise CommandError("There is no such account.")
        reactivate(user_id=user.pk)
        self.stdout.write(f"{user.username} is reactivated.")
