"""The AsyncAPI document is one, its examples are right, and it can tell when a frame is not."""

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from e2e.asyncapi import DOCUMENT, asked, checked, document, told
from messaging.websocket.commands import COMMANDS, EVERYWHERE
from service_kit.codes import STATUS

STANDARD = Path(__file__).parent / "standards" / "asyncapi-3.0.0.json"

MESSAGES = document()["components"]["messages"]
EXAMPLES = [
    pytest.param(key, example["payload"], id=f"{key}-{number}")
    for key, message in MESSAGES.items()
    for number, example in enumerate(message.get("examples", []))
]
TOLD = [case for case in EXAMPLES if not case.values[0].startswith("command.")]
ASKED = [case for case in EXAMPLES if case.values[0].startswith("command.")]


def example_of(key):
    return copy.deepcopy(MESSAGES[key]["examples"][0]["payload"])


class TestDocument:
    def test_is_asyncapi(self):
        standard = Draft7Validator(json.loads(STANDARD.read_text()))
        assert [error.message for error in standard.iter_errors(document())] == []

    def test_is_not_taken_for_asyncapi_when_it_is_wrong(self):
        standard = Draft7Validator(json.loads(STANDARD.read_text()))
        assert not standard.is_valid(document() | {"channels": {"room": {"adress": "/"}}})

    def test_refers_to_nothing_that_is_not_there(self):
        def references(part):
            if isinstance(part, dict):
                yield from [part["$ref"]] if "$ref" in part else []
                part = list(part.values())
            for each in part if isinstance(part, list) else []:
                yield from references(each)

        for reference in references(document()):
            found = document()
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]

    def test_names_every_command_there_is(self):
        assert COMMANDS.keys() == asked().keys()

    def test_says_which_are_for_a_socket_without_rooms(self):
        named = document()["channels"]["notifications"]["messages"]
        commands = {key.removeprefix("command.") for key in named if key.startswith("command.")}
        assert commands == EVERYWHERE

    def test_names_every_code_there_is(self):
        assert set(document()["components"]["schemas"]["Code"]["enum"]) == STATUS.keys()

    def test_names_nothing_the_guide_leaves_out(self):
        guide = (DOCUMENT.parent / "protocol.md").read_text()
        names = {message["name"] for message in MESSAGES.values()}
        assert {name for name in names if f"`{name}`" not in guide} <= asked().keys()
        assert all(f'{{"type":"{name}"' in guide for name in asked())

    def test_shows_an_example_of_everything(self):
        shown = {case.values[0] for case in EXAMPLES}
        # Around a message, which has its own.
        assert MESSAGES.keys() - shown == {"ack.message", "ack.change"}


class TestExample:
    @pytest.mark.parametrize(("key", "payload"), TOLD)
    def test_of_what_is_told_is_right(self, key, payload):
        checked(json.dumps(payload))

    @pytest.mark.parametrize(("key", "payload"), ASKED)
    def test_of_what_is_asked_is_right(self, key, payload):
        for validator in asked()[payload["type"]]:
            validator.validate(payload)

    @pytest.mark.parametrize(("key", "payload"), EXAMPLES)
    def test_is_of_its_type(self, key, payload):
        assert payload["type"] == MESSAGES[key]["name"]


class TestCheckedFrame:
    @pytest.mark.parametrize("key", [key for key in MESSAGES if key.startswith("event.")])
    def test_may_not_leave_out_what_is_required(self, key):
        required = [
            name
            for name in example_of(key)
            if all(name in one.schema["required"] for one in told()[MESSAGES[key]["name"]])
        ]
        assert required
        for name in required:
            frame = example_of(key)
            del frame[name]
            with pytest.raises(AssertionError):
                checked(json.dumps(frame))

    @pytest.mark.parametrize("key", [key for key in MESSAGES if key.startswith("event.")])
    def test_may_not_have_a_field_of_another_type(self, key):
        for name in example_of(key):
            frame = example_of(key) | {name: 0.5}
            with pytest.raises(AssertionError):
                checked(json.dumps(frame))

    @pytest.mark.parametrize("key", [key for key in MESSAGES if key.startswith("event.")])
    def test_may_not_have_a_field_that_is_not_documented(self, key):
        with pytest.raises(AssertionError):
            checked(json.dumps(example_of(key) | {"misspelt": 1}))

    def test_is_checked_to_its_depths(self):
        frame = example_of("event.room.added")
        frame["participants"][0]["user_id"] = 1
        with pytest.raises(AssertionError):
            checked(json.dumps(frame))

    def test_is_of_a_known_type(self):
        with pytest.raises(AssertionError):
            checked('{"type":"reminder"}')
