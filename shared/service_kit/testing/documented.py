"""Holds every answer of the tests to what the OpenAPI document says of its operation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from django.http import HttpResponse
from jsonschema import Draft202012Validator, FormatChecker

from service_kit.openapi import PROBLEM

# Of a path rather than of an operation, and of a bug.
UNDOCUMENTED = frozenset({405, 500})


class OpenApi:
    """An OpenAPI document, asked by method and path."""

    def __init__(self, file: Path) -> None:
        self.document = document = yaml.load(file.read_text(), yaml.CSafeLoader)
        # What is written out comes before what a variable would match too.
        paths = sorted(document["paths"].items(), key=lambda each: each[0].count("{"))
        self._paths = [(re.sub(r"\{\w+\}", "[^/]+", path), each) for path, each in paths]

    def check(self, method: str, path: str, answer: HttpResponse) -> None:
        """Fail for a status or a code that the operation is not said to answer with."""
        operation = self._operation(method, path.partition("?")[0])
        if operation is None or answer.status_code in UNDOCUMENTED:
            return
        told = operation["responses"].get(str(answer.status_code))
        assert told, f"{method} {path} is not documented to answer {answer.status_code}"
        if answer.headers.get("Content-Type") == PROBLEM:
            code = answer.json()["code"]  # type: ignore[attr-defined]
            codes = self.resolve(told)["content"][PROBLEM]["examples"]
            assert code in codes, f"{method} {path} is not documented to refuse: {code}"

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference, where it is one."""
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].removeprefix("#/components/").split("/")
        named: dict[str, Any] = self.document["components"][kind][name]
        return named

    def validate(self, schema: dict[str, Any], value: object) -> None:
        """Raise jsonschema.ValidationError for a value that is not what a schema says."""
        # References are to what stands in the same document.
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)

    def bodies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what each body of each operation may be, with the operation's name."""
        for methods in self.document["paths"].values():
            for operation in methods.values():
                answers = operation["responses"].values()
                for body in (operation.get("requestBody", {}), *answers):
                    for content in self.resolve(body).get("content", {}).values():
                        yield operation["operationId"], content

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, methods in self._paths:
            if re.fullmatch(pattern, path):
                operation: dict[str, Any] | None = methods.get(method.lower())
                return operation
        return None
