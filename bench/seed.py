"""Fills messaging_service's database: run in its folder, with its settings.

Each argument names a set of rooms: `pairs`, `crowd`, `missed` or `many`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up first.

from bench import rooms  # noqa: E402 - as above.

if TYPE_CHECKING:
    from collections.abc import Iterable

# By name: whoever reads the types of this file need not have messaging_service on the path.
models = import_module("messaging.models")
Member, Message, Profile, Room = models.Member, models.Message, models.Profile, models.Room


def pairs() -> None:
    """Rooms from 1 up, each with two members of its own."""
    for n in range(1, rooms.PAIRS + 1):
        _people(people := [f"first-{n}", f"second-{n}"])
        _room(n, people)


def crowd() -> None:
    """One room with a thousand members."""
    _people(people := [rooms.in_crowd(n) for n in range(rooms.CROWD_SIZE)])
    _room(rooms.CROWD, people)


def missed() -> None:
    """One room, in which the reader has missed a thousand messages."""
    _people([rooms.READER, rooms.WRITER])
    _room(rooms.MISSED, [rooms.READER, rooms.WRITER], messages=rooms.MISSED_CHANGES)


def many() -> None:
    """A thousand rooms for each of ten people, one message in each."""
    everyone = [rooms.in_many(n) for n in range(rooms.MANY_PEOPLE)]
    peers = [f"peer-{n}" for n in range(rooms.MANY_ROOMS)]
    _people([*everyone, *peers])
    made, members, messages = [], [], []
    for n, user in enumerate(everyone):
        for id_, peer in zip(rooms.of_many(n), peers, strict=True):
            made.append(_unsaved(id_, [user, peer], messages=1))
            members += [Member(room_id=id_, user_id=each) for each in (user, peer)]
            messages += _messages(id_, peer, 1)
    for model, rows in ((Room, made), (Member, members), (Message, messages)):
        model.objects.bulk_create(rows, batch_size=5_000)


def _people(names: Iterable[str]) -> None:
    Profile.objects.bulk_create(
        [Profile(user_id=name, username=name, display_name=name) for name in names]
    )


def _room(id_: int, people: list[str], *, messages: int = 0) -> None:
    _unsaved(id_, people, messages=messages).save(force_insert=True)
    Member.objects.bulk_create([Member(room_id=id_, user_id=user) for user in people])
    Message.objects.bulk_create(_messages(id_, people[-1], messages))


def _unsaved(id_: int, people: list[str], *, messages: int) -> Any:  # noqa: ANN401 - a Room
    return Room(
        id=id_,
        room_type="direct",
        participant_a=people[0],
        participant_b=people[1],
        created_by_id=people[0],
        seq=messages,
        pos=messages,
    )


def _messages(room: int, sender: str, count: int) -> list[Any]:
    return [
        Message(
            room_id=room,
            seq=seq,
            pos=seq,
            created_pos=seq,
            sender_id=sender,
            client_id=f"seeded-{room}-{seq}",
            request_hash=bytes(16),
            content=f"{seq} ".ljust(100, "."),
            timestamp=timezone.now(),
        )
        for seq in range(1, count + 1)
    ]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        {"pairs": pairs, "crowd": crowd, "missed": missed, "many": many}[name]()
