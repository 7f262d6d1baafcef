"""What somebody who comes now would see, read over HTTP."""

from dataclasses import dataclass
from typing import Any

from messaging.models import Member
from messaging.queries.changes import personal_changes, room_changes
from messaging.queries.positions import personal_position_of
from messaging_service.tests.people import Api, Person


@dataclass(frozen=True)
class Fresh:
    """What there is for somebody to see, and the positions at which all of it has been told.

    `reads` says by room and person how far everybody there has read; `ties` what people are to him,
    or None where that is not looked at.
    """

    rooms: dict[int, Any]
    positions: dict[int, range]
    reads: dict[int, dict[str, int]]
    ties: frozenset[tuple[str, str]] | None = None

    def of(self, room_id: int) -> "Fresh":
        """The same of one room, without what is personal."""
        room = self.rooms[room_id] | {"unread": None}
        positions = {room_id: self.positions[room_id]}
        return Fresh({room_id: room}, positions, {room_id: self.reads[room_id]})


def look(api: Api, person: Person) -> Fresh:
    rooms = api.get("rooms/", token=person.token).json()["results"]
    positions = {room["id"]: _positions_in(room, person) for room in rooms}
    return Fresh(
        rooms={room["id"]: _look_into(api, room, person) for room in rooms},
        positions=positions | {0: _personal_positions(person)},
        reads={room["id"]: _reads(room) for room in rooms},
        ties=_ties(api, person),
    )


def _ties(api: Api, person: Person) -> frozenset[tuple[str, str]]:
    contacts = api.show(person, "contacts/")["results"]
    blocks = api.show(person, "blocks/")["results"]
    tied = {(each["user_id"], each["state"]) for each in contacts}
    return frozenset(tied | {(each["user_id"], "blocked") for each in blocks})


def _reads(room: dict[str, Any]) -> dict[str, int]:
    return {each["user_id"]: each["last_read_seq"] for each in room["participants"]}


def _look_into(api: Api, room: dict[str, Any], person: Person) -> dict[str, Any]:
    path = f"rooms/{room['id']}/messages/?limit=100"
    history = api.get(path, token=person.token).json()["results"]
    return {
        "people": sorted(each["user_id"] for each in room["participants"]),
        "messages": {message["seq"]: message for message in history},
        "unread": room["unread_count"],
    }


def _positions_in(room: dict[str, Any], person: Person) -> range:
    """Where he may stand: nobody is told that something changed which he may not see."""
    joined = Member.objects.get(room=room["id"], user=person.id).joined_pos
    changes = room_changes(user_id=person.id, positions={room["id"]: joined}).rooms[room["id"]]
    assert changes is not None
    return range(max([joined, *(each.pos for each in changes.events)]), room["pos"] + 1)


def _personal_positions(person: Person) -> range:
    """The same of what is personal: who was added and removed meanwhile is told of neither."""
    told = personal_changes(user_id=person.id, after=0).events
    return range(max((each.pos for each in told), default=0), personal_position_of(person.id) + 1)
