"""Where Django looks for the backend `service_kit.postgresql`."""

import select

from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR


class DatabaseWrapper(base.DatabaseWrapper):
    """With CONN_HEALTH_CHECKS a connection that ended while it was idle is replaced before use.

    Django would ask `SELECT 1` in each request. But who was told nothing has nothing to read: where
    there is something, Postgres has said good-bye. It costs a microsecond.
    """

    def is_usable(self) -> bool:
        """Whether the connection is open, and nothing was said that nobody asked for.

        Nor has it been left in a transaction that failed, as by "BEGIN; …; COMMIT" in one string.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.connection.info.transaction_status == TRANSACTION_STATUS_INERROR:
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return not poller.poll(0)
