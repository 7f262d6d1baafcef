"""Pages of lists: a cursor that we gave, or a refusal."""

from contextlib import suppress
from datetime import datetime, timedelta

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from messaging.errors import Invalid
from messaging.permissions import LARGEST_ID
from messaging.serializers.fields import is_user_id


class CheckedCursor(CursorPagination):
    """50 on a page, 100 where one asks for it; whoever inherits says what a position looks like."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100

    def is_position(self, text: str) -> bool:
        raise NotImplementedError

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where the page begins; raises Invalid for a cursor that we never gave."""
        with suppress(NotFound, ValueError):
            cursor = super().decode_cursor(request)
            if cursor is None or not cursor.position or self.is_position(str(cursor.position)):
                return cursor
        raise Invalid("Take the cursor from a page's next or previous.", field="cursor")


class NewestFirst(CheckedCursor):
    """Rooms by their newest message."""

    ordering = ("-last_activity", "-id")

    def is_position(self, text: str) -> bool:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)


class ById(CheckedCursor):
    """In the order of their ids."""

    ordering = ("id",)

    def is_position(self, text: str) -> bool:
        return text.isascii() and text.isdigit() and int(text) <= LARGEST_ID


class ByUserId(CheckedCursor):
    """People in the order of their ids."""

    ordering = ("user_id",)

    def is_position(self, text: str) -> bool:
        return is_user_id(text)
