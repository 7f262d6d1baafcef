"""What auth_service says of people; the one thing messaging ever asks it."""

import http.client
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from messaging.errors import Unavailable
from service_kit.decoding import decode_object
from service_kit.refusals import Refusal

TIMEOUT_SECONDS: Final = 2.0
LARGEST_ANSWER: Final = 64 * 1024


class Person(NamedTuple):
    """A user as auth_service knows him."""

    user_id: str
    username: str
    display_name: str
    avatar: str | None
    is_active: bool


def people_by_id(user_ids: Sequence[str]) -> list[Person]:
    """Those of the given people that exist; raises Unavailable if auth_service cannot tell."""
    found = _ask({"ids": ",".join(user_ids)})
    return [person for person in found if person.user_id in user_ids]


def people_by_username(username: str) -> list[Person]:
    """The person with this name without regard to case, if there is one; else as above."""
    # A comma in the name asks for more than one person.
    found = _ask({"usernames": username})
    return [person for person in found if person.username.lower() == username.lower()]


def _ask(parameters: dict[str, str]) -> list[Person]:
    try:
        answer = _get(f"/internal/users/?{urlencode(parameters)}")
        return [_person(found) for found in answer["results"]]
    except (OSError, http.client.HTTPException, Refusal, KeyError, TypeError) as error:
        raise Unavailable("People cannot be looked up now. Please try again.") from error


def _get(path: str) -> dict[str, Any]:
    """One GET, by a client that follows no redirects and reads a bounded answer."""
    base = urlsplit(settings.AUTH_API_URL)
    secure = base.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(base.hostname or "", base.port, timeout=TIMEOUT_SECONDS)
    try:
        authorization = {"Authorization": f"Bearer {settings.INTERNAL_SECRET}"}
        connection.request("GET", base.path.rstrip("/") + path, headers=authorization)
        # A response that is not read to its end keeps the socket open by itself.
        with connection.getresponse() as response:
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"auth_service answered {response.status}")
            return decode_object(response.read(LARGEST_ANSWER + 1))
    finally:
        connection.close()


def _person(found: dict[str, Any]) -> Person:
    return Person(
        user_id=str(found["id"]),
        username=str(found["username"]),
        display_name=str(found["display_name"]),
        avatar=found["avatar"],
        is_active=bool(found["is_active"]),
    )
