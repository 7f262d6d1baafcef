"""How a page of a list names its neighbours."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from rest_framework.utils.urls import remove_query_param, replace_query_param

from accounts.queries import Edge, Page, Row
from service_kit.refusals import FieldError, Refusal

CURSOR = re.compile(r"([<>])([A-Za-z0-9_.-]{1,32})", re.ASCII)


def read_edge(cursor: str | None) -> Edge | None:
    """Return where a page begins; Refusal("invalid") for a cursor that we never gave."""
    if cursor is None:
        return None
    match = CURSOR.fullmatch(_decode(cursor))
    if match is None:
        detail = "Take the cursor from a page's next or previous."
        raise Refusal("invalid", errors=[FieldError(field="cursor", code="invalid", detail=detail)])
    return Edge(match[2], backwards=match[1] == "<")


def page_json(page: Page[Row], url: str, show: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    return {
        "next": _link(url, page.next),
        "previous": _link(url, page.previous),
        "results": [show(row) for row in page.rows],
    }


def _link(url: str, edge: Edge | None) -> str | None:
    if edge is None:
        return None
    text = ("<" if edge.backwards else ">") + edge.key
    cursor = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return replace_query_param(remove_query_param(url, "cursor"), "cursor", cursor)


def _decode(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return urlsafe_b64decode(padded).decode("ascii")
    except ValueError:
        return ""
