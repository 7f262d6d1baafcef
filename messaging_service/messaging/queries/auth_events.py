"""What auth_service has told since: sessions that ended, people who changed, and who is no more."""

import itertools
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from messaging.models.profiles import LastSeenTo
from messaging.models.sessions import LONGEST_MARK, LONGEST_SESSION_ID
from messaging.queries.auth_service import ask_auth_service
from messaging.serializers.fields import LONGEST_USER_ID
from messaging.serializers.rooms import LONGEST_USERNAME

SECONDS: Final = 2.0
LARGEST_PAGE: Final = 8 * 1024 * 1024
LONGEST_DISPLAY_NAME: Final = 128
LONGEST_AVATAR: Final = 500


class SessionsEnded(NamedTuple):
    """No token of these sessions is good any more; after `until` it would be too old anyway."""

    user_id: str
    session_ids: list[str]
    until: datetime


class Privacy(NamedTuple):
    """What somebody lets others know, as Profile has it."""

    is_findable: bool = True
    last_seen_to: str = LastSeenTo.EVERYONE.value
    read_receipts: bool = True


class UserChanged(NamedTuple):
    """Somebody as auth_service knew him at that time or later."""

    user_id: str
    username: str
    display_name: str
    avatar: str | None
    is_active: bool
    at: datetime
    privacy: Privacy


class UserErased(NamedTuple):
    """Somebody is no more, since that time."""

    user_id: str
    at: datetime


class AuthEvent(NamedTuple):
    """`mark` tells it from another with its number; `told` is None for what we need not know."""

    number: int
    mark: str
    told: SessionsEnded | UserChanged | UserErased | None


class Page(NamedTuple):
    """Events in the order of their numbers, and whether there are more."""

    events: list[AuthEvent]
    more: bool


def auth_events(*, after: int) -> Page:
    """The events after a number, as far as they go on one page.

    Raises OSError, http.client.HTTPException, ValueError, KeyError or TypeError for everything that
    is not a whole page in order.
    """
    path = f"/internal/events/?after={after}"
    answer = orjson.loads(ask_auth_service(path, seconds=SECONDS, most=LARGEST_PAGE))
    events = [_event(found) for found in answer["events"]]
    numbers = [after, *(event.number for event in events)]
    if any(one >= next_one for one, next_one in itertools.pairwise(numbers)):
        raise ValueError("the events are not in order")
    if not isinstance(answer["more"], bool) or (answer["more"] and not events):
        raise ValueError("the page is not whole")
    return Page(events, answer["more"])


def _event(found: dict[str, Any]) -> AuthEvent:
    number, kind, at, data = found["id"], found["type"], found["at"], found["data"]
    if type(number) is not int or not isinstance(kind, str):
        raise TypeError("an event has a number and a type")
    mark, moment = _text(at, LONGEST_MARK), _moment(at)
    match kind:
        case "sessions.ended":
            return AuthEvent(number, mark, _sessions_ended(data))
        case "user.changed":
            # Of whoever is no more nothing is left to tell but that.
            is_gone = data["username"] == "" and data["active"] is False
            return AuthEvent(number, mark, None if is_gone else _user_changed(data, moment))
        case "user.erased":
            erased = UserErased(_text(data["user_id"], LONGEST_USER_ID), moment)
            return AuthEvent(number, mark, erased)
    return AuthEvent(number, mark, None)


def _sessions_ended(data: dict[str, Any]) -> SessionsEnded:
    if not isinstance(data["sids"], list):
        raise TypeError("sids are a list")
    session_ids = [_text(sid, LONGEST_SESSION_ID) for sid in data["sids"]]
    return SessionsEnded(
        _text(data["user_id"], LONGEST_USER_ID), session_ids, _moment(data["until"])
    )


def _user_changed(data: dict[str, Any], at: datetime) -> UserChanged:
    avatar, is_active = data["avatar"], data["active"]
    if not isinstance(is_active, bool) or not isinstance(data["display_name"], str):
        raise TypeError("active is true or false, display_name is text")
    return UserChanged(
        user_id=_text(data["user_id"], LONGEST_USER_ID),
        username=_text(data["username"], LONGEST_USERNAME),
        display_name=data["display_name"][:LONGEST_DISPLAY_NAME],
        avatar=None if avatar is None else _text(avatar, LONGEST_AVATAR),
        is_active=is_active,
        at=at,
        privacy=read_privacy(data),
    )


def read_privacy(told: dict[str, Any]) -> Privacy:
    """What auth_service says of somebody; one that says nothing of it lets everybody know all.

    Whoever is meant by a word we do not know, it is not everybody.
    """
    if (found := told.get("privacy")) is None:
        return Privacy()
    last_seen = found["last_seen"]
    known = last_seen in LastSeenTo.values
    return Privacy(
        is_findable=found["find_me"] == "everyone",
        last_seen_to=last_seen if known else LastSeenTo.NOBODY.value,
        read_receipts=found["read_receipts"] is True,
    )


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
        raise ValueError("this is no text, or not of the length it may have")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value, LONGEST_MARK))
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment
