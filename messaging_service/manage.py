#!/usr/bin/env python
"""Django's command line for messaging_service."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from service_kit.database import time_limit

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A migration may take long; `runserver` answers in threads that keep the limit.
    with time_limit(None):
        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            sys.exit(
                f"{error}.\n→ See the environment, and shared/configs/env/messaging_service.env."
            )
