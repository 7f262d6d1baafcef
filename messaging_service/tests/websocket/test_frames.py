"""Frames: the bytes others write for RFC 6455, and the JSON of the contract."""

import json

import pytest
from websockets.frames import Close, Opcode
from websockets.frames import Frame as TheirFrame

from messaging.errors import Invalid, NotFound, Unavailable
from messaging.websocket.frames import (
    Frame,
    ack_frame,
    close_wire,
    error_frame,
    message_ack_frame,
    synced_frame,
)

LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000]


def read(frame: Frame) -> object:
    (text,) = frame.texts
    return json.loads(text)


class TestAFrame:
    @pytest.mark.parametrize("length", LENGTHS)
    def test_is_what_others_write(self, length: int) -> None:
        text = b"x" * length
        theirs = TheirFrame(Opcode.TEXT, text).serialize(mask=False)
        assert Frame(text).wire == theirs

    def test_may_be_several(self) -> None:
        assert Frame(b"{}", b'"x"').wire == Frame(b"{}").wire + Frame(b'"x"').wire

    def test_is_made_once(self) -> None:
        frame = Frame(b"{}")
        assert frame.wire is frame.wire

    @pytest.mark.parametrize("reason", ["", "too slow", "zu träge"])
    def test_to_close_is_what_others_write(self, reason: str) -> None:
        theirs = TheirFrame(Opcode.CLOSE, Close(4408, reason).serialize()).serialize(mask=False)
        assert close_wire(4408, reason) == theirs


class TestAnAck:
    def test_carries_what_the_command_gives(self) -> None:
        assert read(ack_frame("a", seq=3)) == {"type": "ack", "ref": "a", "seq": 3}

    @pytest.mark.parametrize("ref", ["a", "", '"}', "\\", "é\u2028"])
    def test_of_a_message_holds_its_text(self, ref: str) -> None:
        message = json.dumps({"id": 1, "content": '"}'}).encode()
        assert read(message_ack_frame(ref, message, duplicate=True)) == {
            "type": "ack",
            "ref": ref,
            "duplicate": True,
            "message": {"id": 1, "content": '"}'},
        }


class TestASynced:
    def test_leaves_out_what_is_not_there(self) -> None:
        told = {"room": 1, "pos": 2, "complete": False, "more": False}
        assert read(synced_frame(ref=None, reads=None, **told)) == {"type": "synced", **told}
        assert read(synced_frame(ref="a")) == {"type": "synced", "ref": "a"}


class TestAnError:
    def test_leaves_out_what_is_not_there(self) -> None:
        assert read(error_frame(NotFound("room"), ref=None, room_id=5)) == {
            "type": "error",
            "room": 5,
            "code": "not_found",
            "detail": "There is no such room.",
        }

    def test_says_all_there_is(self) -> None:
        refused = Invalid("Too long.", field="content")
        told = read(error_frame(refused, ref="r", room_id=5))
        assert told == {
            "type": "error",
            "ref": "r",
            "room": 5,
            "code": "invalid",
            "detail": "Too long.",
            "errors": [{"field": "content", "code": "invalid", "detail": "Too long."}],
        }

    def test_says_when_to_come_again(self) -> None:
        told = read(error_frame(Unavailable(), ref="", room_id=5))
        assert isinstance(told, dict)
        assert (told["ref"], told["retry_after"]) == ("", 1)
