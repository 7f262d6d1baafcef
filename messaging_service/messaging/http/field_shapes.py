"""The shapes of our own fields, for the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from messaging.serializers.changes import MOST_ROOMS
from messaging.serializers.fields import LARGEST_ID


class TextFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.fields.TextField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        return {"type": "string", "minLength": 1, "maxLength": self.target.max_length}


class ClearableTextFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.presence.ClearableTextField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        return {"type": "string", "maxLength": self.target.max_length}


class ClientIdFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.fields.ClientIdField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        return {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}


class IdFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.fields.IdField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        return {
            "oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]{1,20}$"}],
        }


class PositionsFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.changes.PositionsField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        position = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
        return {"type": "object", "additionalProperties": position, "maxProperties": MOST_ROOMS}


class UserIdFieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "messaging.serializers.fields.UserIdField"

    def map_serializer_field(self, auto_schema: object, direction: str) -> dict[str, Any]:  # noqa: ARG002 - as in the base class.
        return {
            "oneOf": [
                {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                {"type": "integer", "minimum": 0},
            ]
        }
