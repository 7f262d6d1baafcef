"""`manage.py rotate_signing_keys`."""

from django.core.management.base import BaseCommand, CommandError

from accounts.actions.keys import rotate_signing_keys
from service_kit.refusals import Refusal


class Command(BaseCommand):
    help = (
        "Begin to sign access tokens with the next key, and publish another next one. The first"
        " time only the next one is published; an hour later it may sign. No valid token is"
        " refused, and no process needs a restart. Fit to be run regularly."
    )

    def handle(self, *_: object, **__: object) -> None:
        try:
            keys = rotate_signing_keys()
        except Refusal as error:
            raise CommandError(error.detail) from error
        for key in keys:
            self.stdout.write(f"{key.state:8}{key.public['alg']:6}{key.key_id}")
