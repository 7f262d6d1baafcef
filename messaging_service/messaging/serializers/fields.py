"""Fields of requests that DRF has no strict form of, and what is quick to validate them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers
from rest_framework.fields import SkipField

LONGEST_USER_ID: Final = 64
LARGEST_ID: Final = 2**63 - 1
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")


class FlatSerializer(serializers.Serializer[Any]):
    """Validates fields by themselves: no sources, nesting or `validate_` methods.

    It takes half as long as what DRF does for those, and sending a message is where that counts.
    """

    def run_validation(self, data: Any = serializers.empty) -> dict[str, Any]:  # noqa: ANN401 - as DRF has it.
        if not isinstance(data, Mapping):
            return dict(super().run_validation(data))
        valid, wrong = {}, {}
        for name, field in self.fields.items():
            try:
                valid[name] = field.run_validation(data.get(name, serializers.empty))
            except serializers.ValidationError as error:
                wrong[name] = error.detail
            except SkipField:
                pass
        if wrong:
            raise serializers.ValidationError(wrong)
        return valid


class TextField(serializers.Field[str, Any, str, Any]):
    """A JSON string with visible content, at most so many code points and UTF-8 bytes."""

    default_error_messages = {
        "invalid": "Not a string.",
        "blank": "This may not be blank.",
        "max_length": "At most {max_length} characters.",
        "max_bytes": "At most {max_bytes} bytes.",
    }

    def __init__(self, *, max_length: int, max_bytes: int, **options: Any) -> None:  # noqa: ANN401 - as DRF has it.
        super().__init__(**options)
        self.max_length = max_length
        self.max_bytes = max_bytes

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        if not data or data.isspace():
            self.fail("blank")
        if len(data.encode()) > self.max_bytes:
            self.fail("max_bytes", max_bytes=self.max_bytes)
        return data

    def to_representation(self, value: str) -> str:
        return value


class ClientIdField(serializers.Field[str, Any, str, Any]):
    """A sender's own name for a message: 1-64 of `[A-Za-z0-9_-]`."""

    default_error_messages = {"invalid": "1 to 64 of A-Z, a-z, 0-9, - and _ are expected."}

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or _CLIENT_ID.fullmatch(data) is None:
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class IdField(serializers.Field[int, Any, int, Any]):
    """The id of a room or a message: an integer, or a string of digits.

    A number that cannot be one passes, and is not found.
    """

    default_error_messages = {"invalid": "Not an id."}

    def to_internal_value(self, data: object) -> int:
        found = as_id(data)
        if found is None:
            self.fail("invalid")
        return found

    def to_representation(self, value: int) -> int:
        return value


def as_id(data: object) -> int | None:
    """The id somebody gave, or None for what is none."""
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    if isinstance(data, str) and _DIGITS.fullmatch(data) is not None:
        return int(data)
    return None


class UserIdField(serializers.Field[str, Any, str, Any]):
    """A user id: a string or an integer, kept as a string."""

    default_error_messages = {"invalid": "Not a user id."}

    def to_internal_value(self, data: object) -> str:
        text = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        if not isinstance(text, str) or not is_user_id(text):
            self.fail("invalid")
        return text

    def to_representation(self, value: str) -> str:
        return value


class IdsField(serializers.ListField):
    """Ids in a query string: `1,2`, each once; at least one of them and at most so many."""

    default_error_messages = {"max_length": "At most {max_length} ids."}

    def __init__(self, *, most: int, **options: Any) -> None:  # noqa: ANN401 - as DRF has it.
        super().__init__(max_length=most, **options)

    def get_value(self, dictionary: Any) -> Any:  # noqa: ANN401 - as DRF has it.
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: object) -> list[Any]:
        return list(dict.fromkeys(super().to_internal_value(str(data).split(","))))


def is_user_id(text: str) -> bool:
    """Letters, digits, `-` and `_`, 1 to 64 of them: numbers and UUIDs alike."""
    plain = text.replace("-", "").replace("_", "")
    return 0 < len(text) <= LONGEST_USER_ID and text.isascii() and (plain.isalnum() or not plain)
