#!/usr/bin/env python
"""Django's command line for messaging_service."""

import os
import sys

from django.core.management import execute_from_command_line

from service_kit.database import time_limit

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A migration may take long; `runserver` answers in threads that keep the limit.
    with time_limit(None):
        execute_from_command_line(sys.argv)
