"""What messaging_service keeps of a person, asked for with that person's own access token."""

import http.client
from collections.abc import Iterator
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import orjson
from django.conf import settings

from accounts.errors import ExportUnavailable
from service_kit.fetching import fetch

PATH: Final = "/api/chat/me/export/"
PAGE_SECONDS: Final = 5.0
LARGEST_PAGE: Final = 32 * 1024 * 1024
# Shorter than an access token lives, and than anybody waits.
LONGEST_SECONDS: Final = 240.0


class Page(NamedTuple):
    part: str
    rows: list[dict[str, Any]]


def pages_of_messaging(*, token: str) -> Iterator[Page]:
    """Yield all of it, part after part; ExportUnavailable for anything less than all."""
    cursor: str | None = ""
    ends_at = monotonic() + LONGEST_SECONDS
    while cursor is not None:
        if monotonic() > ends_at:
            raise ExportUnavailable
        try:
            page, cursor = _page(cursor, token)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise ExportUnavailable from error
        yield page


def _page(cursor: str, token: str) -> tuple[Page, str | None]:
    query = f"?cursor={quote(cursor)}" if cursor else ""
    url = f"{settings.MESSAGING_API_URL.rstrip('/')}{PATH}{query}"
    headers = {"Authorization": f"Bearer {token}"}
    found = orjson.loads(fetch(url, headers=headers, seconds=PAGE_SECONDS, most=LARGEST_PAGE))
    part, rows, following = found["part"], found["results"], found["next"]
    if not (isinstance(part, str) and part.isidentifier() and isinstance(rows, list)):
        raise TypeError("a page has a part, and rows")
    return Page(part, rows), _cursor_of(following) if following else None


def _cursor_of(url: str) -> str:
    (cursor,) = parse_qs(urlsplit(url).query)["cursor"]
    return cursor
