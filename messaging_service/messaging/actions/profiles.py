"""Keeping what messaging knows of people: from their tokens, or by asking auth_service once."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from django.db import connection

from messaging.broadcast import publish
from messaging.errors import NotFound
from messaging.events import user_changed, user_changed_to
from messaging.models import Profile
from messaging.permissions.privacy import found_by
from messaging.queries.contacts import contacts_elsewhere
from messaging.queries.directory import Person, people_by_id, people_by_username
from messaging.queries.positions import standings_of
from messaging.queries.profiles import profile_named, profile_of
from messaging.serializers.fields import LONGEST_USER_ID
from messaging.serializers.rooms import LONGEST_USERNAME
from service_kit.refusals import Refusal
from service_kit.tokens import Claims

LONGEST_DISPLAY_NAME: Final = 128
MOST_REMEMBERED: Final = 10_000

# An older token must not undo what auth_service or a newer one said.
_REMEMBER: Final = """
WITH news AS (
    INSERT INTO profiles (user_id, username, display_name, is_active, named_at, pos, updated_at)
    VALUES (%s, %s, %s, true, to_timestamp(%s), 0, clock_timestamp())
    ON CONFLICT (user_id) DO UPDATE
    SET username = excluded.username, display_name = excluded.display_name,
        named_at = excluded.named_at, updated_at = excluded.updated_at
    WHERE (profiles.username, profiles.display_name)
        IS DISTINCT FROM (excluded.username, excluded.display_name)
        AND (profiles.named_at IS NULL OR profiles.named_at <= excluded.named_at)
        AND profiles.erased_at IS NULL
    RETURNING user_id
)
SELECT EXISTS (SELECT FROM news),
    NOT EXISTS (SELECT FROM profiles WHERE user_id = %s AND NOT is_active)
"""

_seen: OrderedDict[str, tuple[str, str]] = OrderedDict()
_seen_lock = Lock()


def remember_caller(*, claims: Claims) -> None:
    """Keep the names a valid token carries; costs nothing when this process knows them already.

    Where somebody had another name, everybody in his rooms is told. Raises `session_revoked` for
    who has been deactivated.

    An issuer of one's own may use longer names than can be kept: they are cut. Raises
    `not_authenticated` for a longer user id.
    """
    if len(claims.user_id) > LONGEST_USER_ID:
        raise Refusal("not_authenticated", "The user id is too long.")
    names = (claims.username[:LONGEST_USERNAME], claims.name[:LONGEST_DISPLAY_NAME])
    with _seen_lock:
        if _seen.get(claims.user_id) == names:
            return
    if _remember(claims, names):
        tell_names(claims.user_id)
    with _seen_lock:
        _seen[claims.user_id] = names
        if len(_seen) > MOST_REMEMBERED:
            _seen.popitem(last=False)


def _remember(claims: Claims, names: tuple[str, str]) -> bool:
    """Whether it is news."""
    asked = (claims.user_id, *names, claims.issued_at)
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [*asked, claims.user_id])
        is_news, is_active = cursor.fetchone()
    if not is_active:
        raise Refusal("session_revoked", "This account is closed.")
    return bool(is_news)


def forget_caller(user_id: str) -> None:
    """Ask the database again when this person comes next."""
    with _seen_lock:
        _seen.pop(user_id, None)


def tell_names(user_id: str) -> None:
    """Tell everybody in somebody's rooms, and his contacts, who he is now."""
    profile = profile_of(user_id)
    if profile is None:
        return
    rooms = {standing.room_id: standing.pos for standing in standings_of(user_id).rooms}
    if rooms:
        publish([user_changed(profile, rooms=rooms)])
    publish(user_changed_to(other, profile) for other in contacts_elsewhere(user_id=user_id))


def know_person(*, user_id: str) -> Profile:
    """The person with this id; raises NotFound, or Unavailable if nobody can tell."""
    return profile_of(user_id) or _keep(people_by_id([user_id]))


def know_person_named(*, username: str) -> Profile:
    """The person with this name, without regard to case; raises as know_person."""
    return profile_named(username) or _keep(people_by_username(username))


def find_person(*, user_id: str, by: str) -> Profile:
    """As know_person, for somebody who asks; who does not want to be found by him is not there."""
    return _if_found(know_person(user_id=user_id), by)


def find_person_named(*, username: str, by: str) -> Profile:
    """As know_person_named, for somebody who asks."""
    return _if_found(know_person_named(username=username), by)


def _if_found(person: Profile, by: str) -> Profile:
    if not found_by(by, [person]):
        raise NotFound("person")
    return person


def _keep(people: list[Person]) -> Profile:
    active = [person for person in people if person.is_active]
    if not active:
        raise NotFound("person")
    person = active[0]
    # Who came meanwhile, or was erased since auth_service answered, stays as he is.
    profile, _ = Profile.objects.get_or_create(
        user_id=person.user_id,
        defaults={
            "username": person.username,
            "display_name": person.display_name,
            "avatar": person.avatar,
            **person.privacy._asdict(),
        },
    )
    return profile
