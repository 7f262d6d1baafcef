"""What each kind of socket is told first, and where it listens from then on.

enter_room             /ws/chat/<room_id>/
enter_all_rooms        /ws/chat/
enter_notifications    /ws/notifications/
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from messaging.actions.profiles import remember_caller
from messaging.queries.positions import Standings, standings_of
from messaging.websocket.authentication import PROTOCOL
from messaging.websocket.bell import Bell
from messaging.websocket.catching_up import CatchingUp
from messaging.websocket.connection import Connection
from messaging.websocket.frames import Frame
from messaging.websocket.hub.streams import PersonStream, RoomStream
from messaging.websocket.reception import reception
from messaging.websocket.threads import in_database_thread
from service_kit.rendering import encode_json, timestamp
from service_kit.tokens import Claims

HEARTBEAT_SECONDS: Final = 25
MOST_ROOMS_SHOWN: Final = 200
MOST_SHOWN_ALONE: Final = 20


class Beginning(NamedTuple):
    """Where a client says it had come to, in its socket's address."""

    after: int | None = None
    epoch: str | None = None


async def enter_room(connection: Connection, beginning: Beginning) -> None:
    """One room; raises NotFound for a stranger."""
    assert connection.room_id is not None
    places, stream = connection.places, RoomStream(connection.room_id)
    await places.open([stream])
    with places.arriving():
        standings, people = await reception().look(connection.claims, connection.room_id)
        _say_ready(connection, standings, *_presence_texts(connection.room_id, people))
        (standing,) = standings.rooms
        if beginning.after is None:
            places.sit(stream, window=standing.window, pos=standing.pos)
    if beginning.after is not None:
        positions = {connection.room_id: beginning.after}
        await CatchingUp(places, epoch=beginning.epoch).in_rooms(positions)


async def enter_all_rooms(connection: Connection, _: Beginning) -> None:
    """Every room its owner is in, and what is personal to him."""
    await _enter_all(connection)


async def enter_notifications(connection: Connection, _: Beginning) -> None:
    """The same places, heard through a bell that tells of unread counts only."""
    bell = Bell(user_id=connection.claims.user_id, outlet=connection.outlet)
    connection.listen_through(bell)
    connection.in_rooms = False
    await bell.begin()
    await _enter_all(connection)
    connection.accompany(bell.ring_for_ever())


async def _enter_all(connection: Connection) -> None:
    places, user_id = connection.places, connection.claims.user_id
    person = PersonStream(user_id)
    await places.open([person])
    # Who is added to a room from here on is told so; listen first, and look again when all listen.
    known = await in_database_thread(_look_around, claims=connection.claims)
    await places.open([RoomStream(standing.room_id) for standing in known.rooms])
    with places.arriving():
        standings = await in_database_thread(standings_of, user_id)
        _say_ready(connection, standings)
        places.sit(person, pos=standings.user_pos)
        for standing in standings.rooms:
            places.sit_or_follow(standing)


def _look_around(*, claims: Claims) -> Standings:
    remember_caller(claims=claims)
    return standings_of(claims.user_id)


def _say_ready(connection: Connection, standings: Standings, *more: bytes) -> None:
    connection.places.epoch = standings.epoch
    rooms = [
        {
            "room": standing.room_id,
            "pos": standing.pos,
            "seq": standing.seq,
            "last_read_seq": standing.last_read_seq,
        }
        for standing in standings.rooms[:MOST_ROOMS_SHOWN]
    ]
    ready = {
        "type": "ready",
        "protocol": PROTOCOL,
        "user_id": connection.claims.user_id,
        "session": connection.claims.session_id,
        "epoch": standings.epoch,
        "user_pos": standings.user_pos,
        "server_time": timestamp(datetime.now(UTC)),
        "heartbeat": HEARTBEAT_SECONDS,
        "rooms": rooms,
        "more": len(standings.rooms) > MOST_ROOMS_SHOWN,
    }
    connection.outlet.send(Frame(encode_json(ready), *more))


def _presence_texts(room_id: int, people: Sequence[dict[str, Any]]) -> list[bytes]:
    """One for each participant, or one for all where they are many."""
    if len(people) <= MOST_SHOWN_ALONE:
        shown: list[dict[str, Any]] = [{"type": "presence", **person} for person in people]
    else:
        shown = [{"type": "presences", "room": room_id, "users": people}]
    return [encode_json(frame) for frame in shown]
