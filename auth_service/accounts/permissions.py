"""The only way from something a caller named to a row.

account_named      a username or address    the account somebody wants to log in to, if there is one
account_meant      what an operator types   the account of that name, address or id, if there is one
user_by_id         an id                    an active person one may find, or NoSuchUser
user_by_username   a username               the same
findable           a person                 whom they may find: themselves, and who allows it
live_session       the `sid` of a token     a session that has not ended, or SessionOver
locked_session     a refresh token          its session, locked, whatever became of it
locked_user        an id                    the person, locked, also if inactive
locked_owner       a session                its person, both locked, or SessionOver if it has ended
live_sessions      a person                 the sessions that have not ended
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.errors import NoSuchUser, SessionOver
from accounts.models import FindMe, Session, User

LARGEST_ID = 2**63 - 1
LONGEST_ID = len(str(LARGEST_ID))
# As it is: to build it each time is felt by who logs in.
_NAMED = "SELECT * FROM accounts_user WHERE lower({column}) = lower(%s)"


def account_named(name: str) -> User | None:
    """Return the account whose address (with an '@') or username this is, also if inactive."""
    column = "email" if "@" in name else "username"
    people = User.objects.raw(_NAMED.format(column=column), [name])
    return next(iter(people), None)


def account_meant(text: str) -> User | None:
    """As account_named, or by id: digits alone are no name."""
    user_id = read_id(text)
    return account_named(text) if user_id is None else User.objects.filter(pk=user_id).first()


def user_by_id(text: str, *, by: User) -> User:
    user_id = read_id(text)
    user = None if user_id is None else findable(by=by).filter(pk=user_id).first()
    if user is None:
        raise NoSuchUser
    return user


def user_by_username(username: str, *, by: User) -> User:
    named = findable(by=by).alias(key=Lower("username")).filter(key=Lower(Value(username)))
    user = None if "\0" in username else named.first()
    if user is None:
        raise NoSuchUser
    return user


def findable(*, by: User) -> QuerySet[User]:
    """Return whom a person may find; the rest are as if they were not there."""
    return User.objects.filter(Q(find_me=FindMe.EVERYONE) | Q(pk=by.pk), is_active=True)


def read_id(text: str) -> int | None:
    """Return the id a text spells, or None where it cannot be one of ours."""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def live_session(*, session_id: str) -> Session:
    """Return the session with its active user; one query."""
    sid = read_uuid(session_id)
    live = Session.objects.select_related("user").filter(ended_at=None, user__is_active=True)
    session = None if sid is None else live.filter(pk=sid).first()
    if session is None:
        raise SessionOver
    return session


def locked_session(*, session_id: UUID) -> Session | None:
    """Return the session locked until the transaction ends; its user is read under that lock."""
    return Session.objects.select_for_update(no_key=True).filter(pk=session_id).first()


def locked_user(*, user_id: int) -> User | None:
    """Return the person locked until the transaction ends; take this lock before a session's."""
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def locked_owner(session: Session) -> User:
    """Return whose session it is, both locked until the transaction ends.

    SessionOver if either left since: whoever was thrown out a moment ago changes nothing more.
    """
    user = locked_user(user_id=session.user_id)
    now = locked_session(session_id=session.pk)
    if user is None or not user.is_active or now is None or now.ended_at:
        raise SessionOver
    return user


def live_sessions(*, user: User) -> QuerySet[Session]:
    """Return the sessions a person can go on with, in no order."""
    now = timezone.now()
    return Session.objects.filter(
        user=user,
        ended_at=None,
        last_used_at__gte=now - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
        created_at__gte=now - timedelta(seconds=settings.SESSION_SECONDS),
    )


def is_too_old(session: Session, now: datetime) -> bool:
    """Say whether a session has been unused, or alive, for longer than the settings allow."""
    unused, age = now - session.last_used_at, now - session.created_at
    longest_unused = timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
    return unused > longest_unused or age > timedelta(seconds=settings.SESSION_SECONDS)


def read_uuid(text: str) -> UUID | None:
    """Return the session id a text spells, or None where it cannot be one of ours."""
    try:
        return UUID(text)
    except ValueError:
        return None
