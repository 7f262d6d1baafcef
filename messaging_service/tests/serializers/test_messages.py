"""What may be asked for, and what is refused, whichever door it comes through."""

import pytest


def nested(levels):
    return (
        b'{"type":"message","ref":"r","content":"deep","x":' + b"[" * levels + b"]" * levels + b"}"
    )


def sized(size):
    raw = b'{"type":"message","ref":"r","content":"long"}'
    return raw[:-1] + b" " * (size - len(raw)) + raw[-1:]


MALFORMED = {
    "nothing": b"",
    "a space": b" ",
    "no JSON": b"hello",
    "half an object": b'{"type":"message","content":"x"',
    "two objects": b'{"type":"message","content":"x"}{}',
    "a trailing comma": b'{"type":"message","content":"x",}',
    "single quotes": b"{'type':'message','content':'x'}",
    "a comment": b'{"type":"message","content":"x"}//',
    "an array": b'["message"]',
    "a string": b'"message"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "NaN": b'{"type":"message","content":"x","n":NaN}',
    "Infinity": b'{"type":"message","content":"x","n":-Infinity}',
    "bare NaN": b"NaN",
    "a raw NUL": b'{"type":"message","content":"a\x00b"}',
    "an escaped NUL": b'{"type":"message","content":"a\\u0000b"}',
    "a NUL in a name": b'{"type":"message","content":"x","a\\u0000":1}',
    "a NUL far down": b'{"type":"message","content":"x","a":[{"b":"\\u0000"}]}',
    "a raw control character": b'{"type":"message","content":"a\x01b"}',
    "a raw line feed": b'{"type":"message","content":"a\nb"}',
    "an escaped high surrogate": b'{"type":"message","content":"\\ud800"}',
    "an escaped low surrogate": b'{"type":"message","content":"\\udc00x"}',
    "swapped surrogates": b'{"type":"message","content":"\\udc00\\ud800"}',
    "a surrogate in a name": b'{"type":"message","content":"x","\\ud800":1}',
    "a BOM": b'\xef\xbb\xbf{"type":"message","content":"x"}',
    "a bad escape": b'{"type":"message","content":"\\x41"}',
    "33 levels": nested(32),
    "a thousand levels": nested(1_000),
    "30,000 levels": nested(30_000),
    "unclosed levels": b"[" * 60_000,
}


class TestMalformedInput:
    @pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
    def test_is_refused(self, door, untouched, alice, room, raw):
        with untouched():
            assert door.send_raw(alice, room, raw).code == "invalid"

    @pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" + b"0" * 400])
    def test_is_a_number_beyond_all_numbers(self, door, untouched, alice, room, number):
        with untouched():
            raw = b'{"type":"message","content":"x","unknown":' + number + b"}"
            assert door.send_raw(alice, room, raw).code == "invalid"

    def test_may_be_32_levels_deep(self, door, alice, room):
        assert door.send_raw(alice, room, nested(31)).message["content"] == "deep"

    def test_may_be_64_kib_long(self, door, alice, room):
        assert door.send_raw(alice, room, sized(64 * 1024)).message["content"] == "long"


WRONG_FIELDS = [
    *(("content", value) for value in [None, 1, 1.5, True, [], ["x"], {}, {"text": "x"}]),
    *(("content", value) for value in ["", " ", "\n\t ", "\u3000\u00a0", "x" * 4_001, "é" * 4_001]),
    *(("client_id", value) for value in [None, "", " ", "a b", "a\n", "é", "a.b", "a/b", "x" * 65]),
    *(("client_id", value) for value in [True, 1.5, [], {}, ["a"], "\u0661", "a\u200b"]),
    *(("message_type", value) for value in [None, "", "video", "TEXT", 1, True, [], {}, "text "]),
]


class TestFields:
    @pytest.mark.parametrize(("name", "value"), WRONG_FIELDS)
    def test_are_refused_by_name(self, door, untouched, alice, room, name, value):
        with untouched():
            answer = door.send(alice, room, **{"content": "fine", name: value})
            assert (answer.code, answer.fields) == ("invalid", [name])

    def test_are_all_named_at_once(self, door, untouched, alice, room):
        with untouched():
            answer = door.send(alice, room, client_id="no spaces", message_type="smoke signal")
            assert answer.code == "invalid"
            assert sorted(answer.fields) == ["client_id", "content", "message_type"]

    @pytest.mark.parametrize("character", ["x", "é", "漢", "👋"])
    def test_may_hold_4000_characters(self, door, alice, room, character):
        content = character * 4_000
        assert door.send(alice, room, content=content).message["content"] == content

    @pytest.mark.parametrize("client_id", ["x" * 64, "a", "-", "_", "Aa0-_", "1"])
    def test_take_any_client_id_of_the_contract(self, door, alice, room, client_id):
        sent = door.send(alice, room, content="x", client_id=client_id, message_type="text")
        assert sent.message["client_id"] == client_id
