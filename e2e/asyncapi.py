"""What docs/asyncapi.yaml says of a frame, held against frames that tests see."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
import yaml
from jsonschema import Draft202012Validator, FormatChecker

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.yaml"

Schema = dict[str, Any]


@cache
def document() -> Schema:
    found: Schema = yaml.load(DOCUMENT.read_text(), yaml.CSafeLoader)
    return found


@lru_cache(maxsize=512)
def checked(text: str | bytes) -> None:
    """Raise AssertionError for a frame that is not exactly as documented.

    Clients must bear fields they do not know; a test of ours must not find one.
    """
    frame = orjson.loads(text)
    validators = told().get(frame.get("type"))
    assert validators, f"{frame.get('type')} is not in asyncapi.yaml: {frame}"
    errors = [next(validator.iter_errors(frame), None) for validator in validators]
    if all(errors):
        raise AssertionError("\n".join(f"{each}" for each in errors))


@cache
def told() -> dict[str, list[Draft202012Validator]]:
    """What may be told, by type: a frame is right if one of its type's validators says so."""
    return _validators("event.", "ack")


@cache
def asked() -> dict[str, list[Draft202012Validator]]:
    """The same of commands."""
    return _validators("command.")


def _validators(*prefixes: str) -> dict[str, list[Draft202012Validator]]:
    found = defaultdict(list)
    for key, message in document()["components"]["messages"].items():
        if key.startswith(prefixes):
            found[message["name"]].append(validator_of(message["payload"]))
    return dict(found)


def validator_of(schema: Schema) -> Draft202012Validator:
    return Draft202012Validator(closed(schema), format_checker=FormatChecker())


def closed(schema: Any) -> Any:
    """Resolve a schema and merge its parts, so that it refuses what it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return closed(_resolved(reference))
    merged: Schema = {}
    for part in closed(schema.get("allOf", [])):
        _merge(merged, part)
    _merge(merged, {key: closed(value) for key, value in schema.items() if key != "allOf"})
    return {"additionalProperties": False} | merged if "properties" in merged else merged


def _merge(whole: Schema, part: Schema) -> None:
    properties = whole.get("properties", {}) | part.get("properties", {})
    required = whole.get("required", []) + part.get("required", [])
    whole |= part
    if properties:
        whole |= {"properties": properties, "required": required}


def _resolved(reference: str) -> Any:
    found: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found
