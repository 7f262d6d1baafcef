"""Waits until Postgres answers: what containers do before their command."""

import os
import sys
import time

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

SECONDS = 60.0
PAUSE_SECONDS = 0.5


def wait_for_postgres(*, seconds: float = SECONDS) -> None:
    """Return once Postgres lets this service in; after `seconds` raise what it said last."""
    deadline = time.monotonic() + seconds
    said = ""
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise
            if str(error) != said:
                said = str(error)
                sys.stderr.write(f"waiting for Postgres: {said.strip()}\n")
            time.sleep(PAUSE_SECONDS)
        else:
            connection.close()
            return


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        wait_for_postgres()
    except (ImproperlyConfigured, OperationalError) as error:
        sys.exit(f"cannot start: {error}")
