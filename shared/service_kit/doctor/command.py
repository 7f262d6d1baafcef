"""The command itself: makes every check, whatever becomes of one, and prints what it found."""

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from service_kit.database import time_limit
from service_kit.doctor.checks import EVERYWHERE, Checks
from service_kit.doctor.trouble import PATIENCE_SECONDS, TroubleError


class Doctor(BaseCommand):
    """A service's command: `checks` are those of its own, each of which may raise TroubleError."""

    help = "Look at everything this service needs. Exit code 1 if something must be mended."
    requires_system_checks = ()
    checks: Checks = {}

    def handle(self, *_: object, **__: object) -> None:
        checks = {**EVERYWHERE, **self.checks}
        found = [self._look(name, check) for name, check in checks.items()]
        if not all(found):
            raise SystemExit(1)

    def _look(self, name: str, check: Callable[[], str]) -> bool:
        try:
            with time_limit(PATIENCE_SECONDS):
                self.stdout.write(f"ok    {name:<11} {_run(check)}")
        except TroubleError as trouble:
            self.stdout.write(f"FAIL  {name:<11} {trouble}\n      → {trouble.remedy}")
            return False
        return True


def _run(check: Callable[[], str]) -> str:
    """Whatever goes wrong with one check, the others are made; no value of a setting is shown."""
    try:
        return check()
    except TroubleError:
        raise
    except ImproperlyConfigured as error:
        raise TroubleError(f"{error}.", "See the environment, and shared/configs/env/.") from error
    except Exception as error:
        raise TroubleError(
            f"This could not be looked at: {type(error).__name__}.",
            "Mend what else is found, and look again; if it stays, this is a bug: report it.",
        ) from error
