"""What the OpenAPI documents of both services say alike: refusals by their codes, and examples.

problems(*codes)    among the responses of an operation: what it alone can refuse
Schema              drf-spectacular's, which adds what any operation of its kind can refuse
put_examples        gives each body the example of its component
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiResponse

from service_kit.codes import STATUS, TITLE

PROBLEM: Final = "application/problem+json"
_FIELD_ERROR: Final = {
    "type": "object",
    "properties": {
        "field": {"type": "string", "description": "Dotted: `poll.options.0`; empty: the whole."},
        "code": {"type": "string"},
        "detail": {"type": "string", "description": "For people."},
    },
    "required": ["field", "code", "detail"],
}
_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people; may be empty."},
        "code": {"type": "string", "description": "For programs."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
    },
    "required": ["type", "title", "status", "detail", "code", "errors"],
}
_MEMBERS: Final[dict[str, dict[str, Any]]] = {
    "mfa_required": {
        "challenge": {
            "type": "string",
            "description": "With `mfa_required` alone: to be shown with a code.",
            "examples": ["7Qy2mZk0cVn5xT8rLwJ1hB4uGs9aPfEdKoXi6tYvN3M"],
        }
    }
}
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}},
}
_BODY: Final = ("invalid", "too_large", "unsupported_media_type")


class _Problems(OpenApiResponse):
    def __init__(self, codes: tuple[str, ...]) -> None:
        super().__init__()
        self.codes = codes


def problems(*codes: str) -> dict[tuple[int, str], _Problems]:
    """Name what an operation refuses beyond what its kind does, as part of its `responses`."""
    groups = _by_status(codes)
    return {(status, PROBLEM): _Problems(tuple(group)) for status, group in groups.items()}


class Schema(AutoSchema):
    """What any operation of its kind can refuse stands in each, in the order of codes.STATUS.

    An authentication or permission class names what it refuses with in `refusals`.
    """

    def get_summary(self) -> str | None:
        return super().get_summary() or self._words()[0]

    def get_description(self) -> str:  # type: ignore[override]
        return self._words()[2]

    def _words(self) -> tuple[str, str, str]:
        """Return the view's docstring, cut after its first paragraph."""
        return str(super().get_description()).partition("\n\n")

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)  # type: ignore[arg-type]
        for number, body in bodies.items():
            body["description"] = body["description"] or HTTPStatus(int(number)).phrase
        codes = {*self._named_codes(), *self._implied_codes()}
        for status, group in _by_status(codes).items():
            bodies[str(status)] = self._refusing(status, group)
        return dict(sorted(bodies.items()))

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        # The library gives a DELETE none; RFC 9110 section 9.3.5 leaves it to the two ends.
        method, self.method = self.method, "POST" if self.method == "DELETE" else self.method
        try:
            body: dict[str, Any] | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
            return body
        finally:
            self.method = method

    def _named_codes(self) -> Iterator[str]:
        given: object = self.get_response_serializers()
        for each in given.values() if isinstance(given, dict) else ():
            yield from each.codes if isinstance(each, _Problems) else ()

    def _implied_codes(self) -> Iterator[str]:
        # A page of a foreign origin, and a cookie without its CSRF token: whatever it asks.
        yield from ("forbidden", "unavailable")
        for guard in (*self.view.get_authenticators(), *self.view.get_permissions()):
            yield from getattr(guard, "refusals", ())
        if self.method != "GET":
            yield "outcome_unknown"
        if self._get_request_body():
            yield from _BODY
        places = {parameter["in"] for parameter in self._get_parameters()}
        yield from ("invalid" for place in places if place == "query")
        yield from ("not_found" for place in places if place == "path")

    def _refusing(self, status: int, codes: list[str]) -> dict[str, Any]:
        self._register("FieldError", ResolvedComponent.SCHEMA, _FIELD_ERROR)
        self._register("Problem", ResolvedComponent.SCHEMA, _PROBLEM)
        for code in codes:
            self._register(code, ResolvedComponent.EXAMPLE, {"value": _example(code)})
        return self._register(".".join(codes), ResolvedComponent.RESPONSE, _answer(status, codes))

    def _register(self, name: str, kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name, kind, schema, name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        reference: dict[str, Any] = component.ref
        return reference


def put_examples(document: dict[str, Any], examples: Mapping[str, object]) -> dict[str, Any]:
    """Show the example of its component, by name, in each JSON body; warn where there is none."""
    for content in _contents(document):
        for name in _components(content["schema"], document):
            if name not in examples:
                warn(f"{name} has no example")
                continue
            shown = document["components"].setdefault("examples", {})
            shown[name] = {"value": examples[name]}
            content.setdefault("examples", {})[name] = _example_named(name)
    return document


def _contents(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            answers = operation["responses"].values()
            for body in (operation.get("requestBody", {}), *answers):
                if "application/json" in body.get("content", {}):
                    yield body["content"]["application/json"]


def _components(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of what a body may be: one component, or one of several."""
    if "$ref" not in schema:
        return
    name = schema["$ref"].rpartition("/")[2]
    choices = document["components"]["schemas"][name].get("oneOf")
    if choices is None:
        yield name
    for choice in choices or ():
        yield from _components(choice, document)


def _by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """Group codes by their status; both in the order of the table."""
    groups: dict[int, list[str]] = {}
    for code in sorted(set(codes), key=list(STATUS).index):
        groups.setdefault(STATUS[code], []).append(code)
    return groups


def _answer(status: int, codes: list[str]) -> dict[str, Any]:
    narrowed = {"properties": {"code": {"enum": codes}, **_members(codes)}}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
        "examples": {code: _example_named(code) for code in codes},
    }
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    description = ", ".join(f"`{code}`" for code in codes)
    return {**headers, "content": {PROBLEM: content}, "description": description}


def _members(codes: Sequence[str]) -> dict[str, Any]:
    """Describe what a problem holds beside what every problem does."""
    return {name: schema for code in codes for name, schema in _MEMBERS.get(code, {}).items()}


def _example_named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/examples/{name}"}


def _example(code: str) -> dict[str, Any]:
    wrong = {"field": "content", "code": "required", "detail": "This field is required."}
    return {
        "type": f"urn:parley:problem:{code}",
        "title": TITLE[code],
        "status": STATUS[code],
        "detail": wrong["detail"] if code == "invalid" else "",
        "code": code,
        "errors": [wrong] if code == "invalid" else [],
        **{name: schema["examples"][0] for name, schema in _members([code]).items()},
    }
