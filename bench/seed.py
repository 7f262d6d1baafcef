"""Fills messaging_service's database: run in its folder, with its settings."""

from __future__ import annotations

import sys
from importlib import import_module

import django

django.setup()

# By name: whoever reads the types of this file need not have messaging_service on the path.
models = import_module("messaging.models")
Member, Profile, Room = models.Member, models.Profile, models.Room


def main(rooms: int) -> None:
    """Make direct rooms from 1 up, each with two members of its own."""
    for n in range(1, rooms + 1):
        people = [f"first-{n}", f"second-{n}"]
        Profile.objects.bulk_create(
            [Profile(user_id=user, username=user, display_name=user) for user in people]
        )
        room = Room.objects.create(
            id=n,
            room_type="direct",
            participant_a=people[0],
            participant_b=people[1],
            created_by_id=people[0],
        )
        Member.objects.bulk_create([Member(room=room, user_id=user) for user in people])


if __name__ == "__main__":
    main(int(sys.argv[1]))
