"""decode_json refuses what no two parsers agree on, and what Postgres or a peer would choke on."""

import json
from contextlib import suppress

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from service_kit.decoding import MAX_BYTES, MAX_DEPTH, decode_json, decode_object
from service_kit.refusals import Refusal

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
MALFORMED = {
    "nothing": b"",
    "half an object": b'{"a":',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "a number beyond any": b"[1e400]",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8": b'{"a":"\xff"}',
    "an encoded half surrogate": b'{"a":"\xed\xa0\x80"}',
    "an escaped half surrogate": b'{"a":"\\ud800"}',
    "a reversed surrogate pair": b'{"a":"\\udc00\\ud800"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a bare NUL": b'{"a":"x\0y"}',
    "an escaped NUL": b'{"a":"x\\u0000y"}',
    "an escaped NUL in a key": b'{"a\\u0000":1}',
    "an escaped NUL deep down": b'[[{"a":[{"b":"\\u0000"}]}]]',
    "a trailing comma": b"[1,]",
    "a comment": b"{} // no",
    "two values": b"{}{}",
    "single quotes": b"{'a':1}",
    "a depth no stack survives": b"[" * 60_000,
}


class TestDecodeJson:
    @pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
    def test_refuses(self, data):
        with pytest.raises(Refusal) as refused:
            decode_json(data)
        assert refused.value.code == "invalid"

    def test_refuses_half_a_surrogate_in_text(self):
        with pytest.raises(Refusal, match="surrogate"):
            decode_json('"\ud800"')

    @pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'], ids=["list", "object", "mixed"])
    def test_accepts_the_deepest_and_no_deeper(self, opening):
        def nested(depth):
            levels = opening.count("[") + opening.count("{")
            closing = "".join({"[": "]", "{": "}"}.get(each, "") for each in reversed(opening))
            return opening * (depth // levels) + "1" + closing * (depth // levels)

        assert decode_json(nested(MAX_DEPTH)) is not None
        with pytest.raises(Refusal) as refused:
            decode_json("[" + nested(MAX_DEPTH) + "]")
        assert refused.value.code == "invalid"

    def test_measures_depth_and_not_the_number_of_brackets(self):
        deepest = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
        assert decode_json(f"[{deepest},{deepest}]")
        with pytest.raises(Refusal):
            decode_json(f"[{deepest},[{deepest}]]")

    def test_counts_an_empty_container_as_a_level(self):
        assert decode_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
        with pytest.raises(Refusal):
            decode_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))

    def test_does_not_count_brackets_in_text_or_side_by_side(self):
        assert decode_json(json.dumps("[" * 500)) == "[" * 500
        assert decode_json(json.dumps([[]] * 500)) == [[]] * 500

    @pytest.mark.parametrize("kind", [str, bytes])
    def test_accepts_the_longest_and_no_longer(self, kind):
        longest = '"' + "a" * (MAX_BYTES - 2) + '"'
        as_kind = (lambda text: text) if kind is str else str.encode
        assert len(decode_json(as_kind(longest))) == MAX_BYTES - 2
        with pytest.raises(Refusal) as refused:
            decode_json(as_kind(longest + " "))
        assert refused.value.code == "too_large"

    def test_counts_bytes_and_not_characters(self):
        with pytest.raises(Refusal) as refused:
            decode_json('"' + "é" * (MAX_BYTES // 2) + '"')
        assert refused.value.code == "too_large"

    def test_accepts_an_escaped_backslash_before_u0000(self):
        assert decode_json(b'"\\\\u0000"') == "\\u0000"

    def test_accepts_a_whole_surrogate_pair(self):
        assert decode_json(b'"\\ud83d\\udc4d"') == "👍"

    @given(VALUES)
    def test_gives_back_any_value(self, value):
        assert decode_json(json.dumps(value)) == value
        assert decode_json(json.dumps(value, ensure_ascii=False)) == value

    @given(st.binary(max_size=200) | st.text(max_size=200))
    def test_never_raises_anything_but_a_refusal(self, data):
        with suppress(Refusal):
            # What was accepted can also be written again, by anyone.
            json.dumps(decode_json(data), allow_nan=False, ensure_ascii=False).encode()


class TestDecodeObject:
    def test_gives_the_object(self):
        assert decode_object('{"a": 1}') == {"a": 1}

    @pytest.mark.parametrize("data", ["[]", "null", '"{}"', "1", "true"])
    def test_refuses_what_is_no_object(self, data):
        with pytest.raises(Refusal, match="object"):
            decode_object(data)


class TestStrictJSONParser:
    def post(self, data, content_type="application/json"):
        return Client().generic("POST", "/echo/", data, content_type=content_type)

    def test_gives_the_view_what_was_sent(self):
        assert self.post(b'{"a": ["\xc3\xa9"]}').json() == {"got": {"a": ["é"]}}

    def test_takes_no_other_charset(self):
        latin = self.post('{"a":"é"}'.encode("latin-1"), "application/json; charset=latin-1")
        assert latin.status_code == 400

    @pytest.mark.parametrize("data", [data for data in MALFORMED.values() if data])
    def test_refuses_through_the_door_too(self, data):
        refused = self.post(data)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")

    def test_refuses_a_body_too_large(self):
        refused = self.post(b'"' + b"a" * MAX_BYTES + b'"')
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

    def test_refuses_other_kinds_of_body(self):
        refused = self.post(b"a=1", "application/x-www-form-urlencoded")
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
