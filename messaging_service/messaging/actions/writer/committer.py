"""Brings a batch to an end: each send gets an outcome, or is handed back where its room is held."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import psycopg2
from psycopg2 import errors

from messaging.actions.writer.connection import connect
from messaging.actions.writer.pace import Pace
from messaging.actions.writer.sends import Outcome, Send, Sent
from messaging.actions.writer.transaction import (
    Plan,
    decide,
    lock_and_look,
    outcomes_of,
    store,
)
from messaging.errors import Invalid, OutcomeUnknown, Unavailable
from service_kit.database import meanwhile, time_limit

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class.

STATEMENT_SECONDS: Final = 2.0

logger: Final = logging.getLogger(__name__)


class CommitLostError(Exception):
    """Nobody answered COMMIT: the batch may be stored or not."""

    def __init__(self, sends: Sequence[Send], plan: Plan, held: list[Send]) -> None:
        super().__init__()
        self.sends = sends
        self.plan = plan
        self.held = held


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some sends; `held` are those whose room somebody else has locked."""

    outcomes: list[tuple[Send, Outcome]]
    held: list[Send]


class Committer:
    """Commits batches on one connection, of which it alone knows whether it still works."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._pace = Pace([])

    def commit(self, sends: Sequence[Send], *, wait: bool) -> Batch:
        """Store what is allowed of the sends; with `wait`, wait for held rooms (bounded)."""
        self._pace = Pace(sends)
        with time_limit(STATEMENT_SECONDS):
            return self._commit(sends, wait=wait)

    def _commit(self, sends: Sequence[Send], *, wait: bool) -> Batch:
        is_new = self._connection is None
        try:
            return self._transaction(sends, wait=wait)
        except CommitLostError as lost:
            return self._settle(lost)
        except psycopg2.Error as error:
            if self._is_lost(error):
                self.close()
                # Nothing is stored before COMMIT, and Postgres may have restarted since the last.
                return _all(sends, Unavailable()) if is_new else self._commit(sends, wait=wait)
            self._rollback()
            if isinstance(error, errors.LockNotAvailable):
                # Halving would wait as long again for each half.
                return Batch(outcomes=[], held=list(sends))
            return self._bisect(sends, error, wait=wait)

    def close(self) -> None:
        """Forget the connection; the next batch makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transaction(self, sends: Sequence[Send], *, wait: bool) -> Batch:
        if self._connection is None:
            self._connection = connect()
        with self._connection.cursor() as cursor:
            with meanwhile(self._pace.ask):
                rooms, seen = lock_and_look(cursor, sends, wait=wait)
            self._pace.mark()
            found = list(zip(sends, seen, strict=True))
            ours = [(send, look) for send, look in found if wait or send.room_id in rooms]
            held = [send for send in sends if not wait and send.room_id not in rooms]
            mine = [send for send, _ in ours]
            plan = decide(mine, rooms, [look for _, look in ours])
            outcomes: list[Outcome] = []
            try:
                with meanwhile(lambda: outcomes.extend(outcomes_of(plan, mine))):
                    store(cursor, plan, mine, rooms)
            except psycopg2.Error as error:
                if self._is_lost(error):
                    raise CommitLostError(mine, plan, held) from error
                raise
        return Batch(outcomes=list(zip(mine, outcomes, strict=True)), held=held)

    def _is_lost(self, error: psycopg2.Error) -> bool:
        """Whether the connection failed, rather than Postgres refusing a statement."""
        return error.pgcode is None or self._connection is None or self._connection.closed != 0

    def _rollback(self) -> None:
        if self._connection is not None:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("ROLLBACK")
            except psycopg2.Error:
                self.close()

    def _bisect(self, sends: Sequence[Send], error: psycopg2.Error, *, wait: bool) -> Batch:
        """A statement failed: halve the batch until what is bad is refused alone."""
        if len(sends) == 1:
            return self._refuse(sends, error, wait=wait)
        half = len(sends) // 2
        first = self._commit(sends[:half], wait=wait)
        # What the first half could not lock stays held: later sends must not overtake earlier ones.
        held = {send.room_id for send in first.held}
        behind = [send for send in sends[half:] if send.room_id in held]
        rest = [send for send in sends[half:] if send.room_id not in held]
        second = self._commit(rest, wait=wait) if rest else Batch(outcomes=[], held=[])
        return Batch(first.outcomes + second.outcomes, first.held + behind + second.held)

    def _refuse(self, sends: Sequence[Send], error: psycopg2.Error, *, wait: bool) -> Batch:
        if isinstance(error, errors.UniqueViolation):
            # Another process has just stored this client_id in another room: now it can be seen.
            return self._again(sends, wait=wait)
        if isinstance(error, errors.DataError):
            return _all(sends, Invalid("Postgres cannot store this message."))
        # Not the error's text: its DETAIL may quote the row, and so what somebody wrote.
        logger.error("A send failed: %s %s", type(error).__name__, error.pgcode)
        if not isinstance(error, psycopg2.IntegrityError):
            # The connection may be stale: its plans, its statements, the server behind it.
            self.close()
        return _all(sends, Unavailable())

    def _again(self, sends: Sequence[Send], *, wait: bool) -> Batch:
        try:
            return self._transaction(sends, wait=wait)
        except CommitLostError as lost:
            return self._settle(lost)
        except psycopg2.Error:
            self.close()
            return _all(sends, Unavailable())

    def _settle(self, lost: CommitLostError) -> Batch:
        """After a lost COMMIT: send again; what had been stored is recognised by its client_id.

        The first transaction holds the rooms' locks until it has ended, one way or the other, so
        whoever gets them next sees what became of it.
        """
        self.close()
        try:
            batch = self._transaction(lost.sends, wait=True)
        except (CommitLostError, psycopg2.Error):
            self.close()
            return Batch([(send, OutcomeUnknown()) for send in lost.sends], lost.held)
        outcomes = [
            (send, _of_first(outcome) if n in lost.plan.new else outcome)
            for n, (send, outcome) in enumerate(batch.outcomes)
        ]
        return Batch(outcomes, lost.held)


def _of_first(outcome: Outcome) -> Outcome:
    """What to say of a send that may have been stored before it was repeated here."""
    return replace(outcome, duplicate=False) if isinstance(outcome, Sent) else OutcomeUnknown()


def _all(sends: Sequence[Send], outcome: Outcome) -> Batch:
    return Batch(outcomes=[(send, outcome) for send in sends], held=[])
