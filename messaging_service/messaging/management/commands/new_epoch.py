"""`manage.py new_epoch`: let every client start over."""

from django.core.management.base import BaseCommand

from messaging.actions.epoch import begin_epoch


class Command(BaseCommand):
    help = (
        "Begin a new epoch: after the database was restored from a backup, or a standby that"
        " lagged behind was promoted. The positions that clients remember may then be ahead of"
        " what is stored, so each is told that its catching up is not complete, and fetches"
        " history again. Nothing that is stored is lost."
    )

    def handle(self, *_: object, **__: object) -> None:
        self.stdout.write(begin_epoch())
