"""The two ways in, alike: a test of an act runs through both."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from messaging_service.tests.sockets import Socket
from service_kit.codes import STATUS


@dataclass(frozen=True)
class Answer:
    """What came back: a message, where a marker is, or a refusal's code and the fields it names."""

    code: str | None = None
    fields: list[str] = field(default_factory=list)
    message: dict[str, Any] = field(default_factory=dict)
    duplicate: bool = False
    marker: int | None = None


class Door:
    """`send`, `edit`, `delete` and `read` ask for the act; `send_raw` sends bytes for a send.

    What is edited or deleted is named by its id, in the room whose id is given.
    """

    def __init__(self, *, api: Any, enter: Callable[..., Socket]) -> None:
        self.api = api
        self.enter = enter

    def send(self, person: Any, room_id: int, **body: Any) -> Answer:
        return self.send_raw(person, room_id, json.dumps(body).encode())

    def send_raw(self, person: Any, room_id: int, raw: bytes) -> Answer:
        raise NotImplementedError

    def edit(self, person: Any, room_id: int, message_id: int, **body: Any) -> Answer:
        raise NotImplementedError

    def delete(self, person: Any, room_id: int, message_id: int) -> Answer:
        raise NotImplementedError

    def read(self, person: Any, room_id: int, *, seq: Any) -> Answer:
        raise NotImplementedError


class HttpDoor(Door):
    def edit(self, person: Any, room_id: int, message_id: int, **body: Any) -> Answer:
        path = f"rooms/{room_id}/messages/{message_id}/"
        return self._answer(self.api.send("PUT", path, body, token=person.token))

    def delete(self, person: Any, room_id: int, message_id: int) -> Answer:
        path = f"rooms/{room_id}/messages/{message_id}/"
        answer = self.api.send("DELETE", path, token=person.token)
        if answer.status_code == 204:
            assert answer.content == b""
            answer = self.api.get(path, token=person.token)
        return self._answer(answer)

    def read(self, person: Any, room_id: int, *, seq: Any) -> Answer:
        body = {"room": room_id, "seq": seq}
        answer = self.api.post("reads/", body, token=person.token)
        if answer.status_code == 200:
            return Answer(marker=answer.json()["seq"])
        return self._answer(answer)

    def _answer(self, answer: Any) -> Answer:
        told = answer.json()
        if answer.status_code == 200:
            return Answer(message=told)
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.status_code == STATUS[told["code"]]
        return Answer(code=told["code"], fields=[error["field"] for error in told["errors"]])

    def send_raw(self, person: Any, room_id: int, raw: bytes) -> Answer:
        answer = self.api.post(f"rooms/{room_id}/messages/", raw, token=person.token)
        told = answer.json()
        if answer.status_code in {200, 201}:
            duplicate = told.pop("duplicate", False)
            assert duplicate is (answer.status_code == 200)
            return Answer(message=told, duplicate=duplicate)
        return self._answer(answer)


class SocketDoor(Door):
    """One socket for each person and room, opened with the first send."""

    def __init__(self, *, api: Any, enter: Callable[..., Socket]) -> None:
        super().__init__(api=api, enter=enter)
        self._sockets: dict[tuple[str, int], Socket] = {}

    def send(self, person: Any, room_id: int, **body: Any) -> Answer:
        command = json.dumps({"type": "message", "ref": "a send"} | body)
        return self.send_raw(person, room_id, command.encode())

    def send_raw(self, person: Any, room_id: int, raw: bytes) -> Answer:
        return self._answer(self._ask(person, room_id, raw))

    def edit(self, person: Any, room_id: int, message_id: int, **body: Any) -> Answer:
        command = {"type": "message.edit", "ref": "an edit", "id": message_id} | body
        return self._answer(self._ask(person, room_id, command))

    def delete(self, person: Any, room_id: int, message_id: int) -> Answer:
        command = {"type": "message.delete", "ref": "a delete", "id": message_id}
        return self._answer(self._ask(person, room_id, command))

    def read(self, person: Any, room_id: int, *, seq: Any) -> Answer:
        command = {"type": "read", "ref": "a read", "seq": seq}
        told = self._ask(person, room_id, command)
        if told["type"] == "ack":
            assert told == {"type": "ack", "ref": "a read", "room": room_id, "seq": told["seq"]}
            return Answer(marker=told["seq"])
        return self._answer(told)

    def _ask(self, person: Any, room_id: int, frame: object) -> dict[str, Any]:
        socket = self.socket(person, room_id)
        socket.send(frame)
        return socket.expect("ack", "error")

    def _answer(self, told: dict[str, Any]) -> Answer:
        if told["type"] == "ack":
            return Answer(message=told["message"], duplicate=told.get("duplicate", False))
        fields = [error["field"] for error in told.get("errors", [])]
        return Answer(code=told["code"], fields=fields)

    def socket(self, person: Any, room_id: int) -> Socket:
        key = (person.id, room_id)
        if key not in self._sockets or self._sockets[key].is_closed:
            self._sockets[key] = self.enter(person, room_id)
        return self._sockets[key]


DOORS: dict[str, type[Door]] = {"http": HttpDoor, "websocket": SocketDoor}
