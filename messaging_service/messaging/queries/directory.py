"""What auth_service says of people messaging has never seen."""

import http.client
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from messaging.errors import Unavailable
from messaging.queries.auth_events import Privacy, read_privacy
from messaging.queries.auth_service import ask_auth_service
from service_kit.decoding import decode_object
from service_kit.refusals import Refusal

TIMEOUT_SECONDS: Final = 2.0


class Person(NamedTuple):
    """A user as auth_service knows him."""

    user_id: str
    username: str
    display_name: str
    avatar: str | None
    is_active: bool
    privacy: Privacy = Privacy()


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
        path = f"/internal/users/?{urlencode(parameters)}"
        answer = decode_object(ask_auth_service(path, seconds=TIMEOUT_SECONDS))
        return [_person(found) for found in answer["results"]]
    except (OSError, http.client.HTTPException, ValueError, Refusal, KeyError, TypeError) as error:
        raise Unavailable("People cannot be looked up now. Please try again.") from error


def _person(found: dict[str, Any]) -> Person:
    return Person(
        user_id=str(found["id"]),
        username=str(found["username"]),
        display_name=str(found["display_name"]),
        avatar=found["avatar"],
        is_active=bool(found["is_active"]),
        privacy=read_privacy(found),
    )
