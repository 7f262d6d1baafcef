"""`changes/`: catching up over HTTP, with the frames a socket would have had."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.errors import NotFound
from messaging.http.answers import json_answer
from messaging.http.authentication import caller_of
from messaging.http.documentation import ChangesOutput, RoomsChangesOutput
from messaging.permissions import LARGEST_ID
from messaging.queries.changes import Changes, personal_changes, room_changes
from messaging.queries.positions import current_epoch
from messaging.serializers.changes import AfterInput, RoomsInput, after_input, rooms_input
from service_kit.rendering import encode_json

# One answer holds this much and what the rooms that are read together bring; the rest has to wait.
ANSWER_BYTES: Final = 1024 * 1024
ROOMS_AT_ONCE: Final = 50


class RoomChangesView(APIView):
    @extend_schema(
        operation_id="get_changes_of_room",
        parameters=[AfterInput],
        responses={200: ChangesOutput},
    )
    def get(self, request: Request, room_id: int) -> HttpResponse:
        """What changed in a room since a position; with `more`, ask again from `pos`."""
        asked = after_input.run_validation(request.query_params)
        if not 0 < room_id <= LARGEST_ID:
            raise NotFound("room")
        found = room_changes(
            user_id=caller_of(request).id,
            positions={room_id: asked["after"]},
            epoch=asked.get("epoch"),
        )
        if (changes := found.rooms[room_id]) is None:
            raise NotFound("room")
        return json_answer(encode_json(_shown(changes, found.epoch)))


class ChangesView(APIView):
    @extend_schema(
        operation_id="get_changes",
        request=RoomsInput,
        responses={200: RoomsChangesOutput},
    )
    def post(self, request: Request) -> HttpResponse:
        """The same for up to 1,000 rooms; null for a room that is not there or not the caller's."""
        asked = rooms_input.run_validation(request.data)
        rooms = _catch_up(caller_of(request).id, asked["rooms"], asked.get("epoch"))
        return json_answer(encode_json({"rooms": rooms}))


class MyChangesView(APIView):
    @extend_schema(
        operation_id="get_my_changes",
        parameters=[AfterInput],
        responses={200: ChangesOutput},
    )
    def get(self, request: Request) -> HttpResponse:
        """What changed of what is personal to the caller, since a `user_pos`."""
        asked = after_input.run_validation(request.query_params)
        # An older epoch beside newer changes makes a client start over; the reverse would not.
        epoch = current_epoch()
        changes = personal_changes(
            user_id=caller_of(request).id, after=asked["after"], epoch=asked.get("epoch")
        )
        return json_answer(encode_json(_shown(changes, epoch)))


def _catch_up(user_id: str, positions: Mapping[int, int], epoch: str | None) -> dict[str, Any]:
    """By room what is to be shown; rooms that do not fit any more are to be asked for again."""
    shown: dict[str, Any] = {}
    size, waiting, here = 0, iter(positions), ""
    while size < ANSWER_BYTES and (ids := list(islice(waiting, ROOMS_AT_ONCE))):
        asked = {room_id: positions[room_id] for room_id in ids}
        here, found = room_changes(user_id=user_id, positions=asked, epoch=epoch)
        for room_id, changes in found.items():
            shown[str(room_id)] = changes and _shown(changes, here)
            size += _size(changes)
    rest = {str(id_): _shown(Changes([], positions[id_], more=True), here) for id_ in waiting}
    return shown | rest


def _size(changes: Changes | None) -> int:
    return sum(len(event.text) for event in changes.events) if changes else 0


def _shown(changes: Changes, epoch: str) -> dict[str, Any]:
    return {
        "events": [orjson.Fragment(event.text) for event in changes.events],
        "pos": changes.pos,
        "epoch": epoch,
        "complete": changes.complete,
        "more": changes.more,
        **({"reads": changes.reads} if changes.reads else {}),
    }
