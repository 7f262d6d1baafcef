"""`manage.py doctor`: looks at all that a process of ours needs, and says what to do.

command.py   Doctor: the command, to which a service adds `checks` of its own
checks.py    EVERYWHERE: the checks of every service
trouble.py   TroubleError, and what checks ask with: Postgres, the other service, a clock
"""

from service_kit.doctor.checks import EVERYWHERE, FULL
from service_kit.doctor.command import Doctor
from service_kit.doctor.trouble import (
    PATIENCE_SECONDS,
    TroubleError,
    ask_postgres,
    assert_under_way,
    status_of,
    stranger,
)

__all__ = [
    "EVERYWHERE",
    "FULL",
    "PATIENCE_SECONDS",
    "Doctor",
    "TroubleError",
    "ask_postgres",
    "assert_under_way",
    "status_of",
    "stranger",
]
