"""The one way something durable is changed outside the writer: lock, look, change, commit, tell."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from messaging.broadcast import publish
from messaging.errors import NotFound, OutcomeUnknown, Unavailable
from messaging.events import Event
from messaging.models import Room
from messaging.permissions import LARGEST_ID
from messaging.queries.rooms import direct_rooms_of

# Whoever holds a row may not make others wait for long, nor freeze and go on holding it.
_BOUNDS: Final = (
    "SET LOCAL lock_timeout = 400; SET LOCAL idle_in_transaction_session_timeout = 5000"
)

# Two people may have no row of their own yet that could be locked.
_PAIR: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_PAIR_AS_IT_IS: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
_PEOPLE: Final = "SELECT 1 FROM profiles WHERE user_id = ANY(%s) ORDER BY user_id FOR NO KEY UPDATE"
_COUNT: Final = "UPDATE profiles SET pos = pos + 1 WHERE user_id = ANY(%s) RETURNING user_id, pos"


@contextmanager
def told_change() -> Iterator[list[Event]]:
    """A transaction; the events put into the list are told when it is committed.

    No events mean that nothing was changed. Raises Unavailable if a lock was not to be had within
    400 ms or Postgres went away, and OutcomeUnknown if it went away during COMMIT.
    """
    events: list[Event] = []
    is_decided = False
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute(_BOUNDS)
            yield events
            is_decided = True
    except Error as error:
        if not _is_away(error):
            raise
        raise (OutcomeUnknown() if is_decided and events else Unavailable()) from error
    publish(events)


def _is_away(error: Error) -> bool:
    """Whether a lock or Postgres was not to be had, rather than a row refused."""
    is_refusal = getattr(error.__cause__, "pgcode", None) is not None
    return isinstance(error, OperationalError | InterfaceError) or not is_refusal


@contextmanager
def pair_change(one: str, other: str) -> Iterator[list[Event]]:
    """As told_change, with what these two are to each other held first, and then their room.

    So what they write to each other is stored before this change, or refused after it.
    """
    with told_change() as events:
        with connection.cursor() as cursor:
            cursor.execute(_PAIR, [pair_key(one, other)])
        list(direct_rooms_of((one, other)).select_for_update(no_key=True))
        yield events


def keep_pair(one: str, other: str) -> None:
    """Let no pair_change of these two begin before COMMIT; call it before every other lock."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIR_AS_IT_IS, [pair_key(one, other)])


def pair_key(one: str, other: str) -> str:
    """The same whichever is named first; no user id holds a blank."""
    return " ".join(sorted((one, other)))


@dataclass(slots=True)
class RoomChange:
    """A room whose row this transaction holds: nothing in it changes meanwhile."""

    room: Room
    events: list[Event]

    def next_pos(self) -> int:
        """Raise the room's position; the caller stamps it on the row he changes."""
        self.room.pos += 1
        Room.objects.filter(pk=self.room.pk).update(pos=self.room.pos)
        return self.room.pos


@contextmanager
def room_change(room_id: int) -> Iterator[RoomChange]:
    """As told_change, with the room's row locked first: look and decide only inside.

    Whoever changes something calls `next_pos` once and puts what he did into `events`. Raises
    NotFound for a room that is not there.
    """
    if not 0 < room_id <= LARGEST_ID:
        raise NotFound("room")
    with told_change() as events:
        room = Room.objects.select_for_update(no_key=True).filter(pk=room_id).first()
        if room is None:
            raise NotFound("room")
        yield RoomChange(room, events)


def next_user_positions(user_ids: Iterable[str]) -> dict[str, int]:
    """Raise what counts the personal changes of these people, and hold it until COMMIT.

    Call it after every other lock of the transaction. Who is not known is left out.
    """
    asked = list(user_ids)
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [asked])
        cursor.execute(_COUNT, [asked])
        return dict(cursor.fetchall())
