"""How often somebody may try, counted in Postgres: the same for every process, and none without.

guesses_at        wrong passwords, or mailed codes: by name and address, by address, by name
guesses_from      wrong ones of any kind, for whomever: by address
mails_to          mails that are asked for: by name and address, by address, by name
registrations     accounts signed up from an address
refreshes         how often a session is renewed
wrong_refreshes   what renews nothing, from an address
pictures          how often somebody uploads a picture
exports           how often somebody asks for all that is kept of him

A bucket holds `most` tries and gets them back over `seconds`. Nobody is kept out of an account by
what others try: its own bucket, which strangers can empty from many addresses, does not count for
an address where it has been logged in. A name that nobody has is counted like any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from math import ceil
from random import random
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection

from accounts.errors import TooManyTries
from accounts.models import User
from service_kit.addresses import network_of

MINUTE: Final = 60
HOUR: Final = 3600
# Of all tries, so many look for buckets that are full again and forget them.
TIDYING: Final = 0.01

# Buckets are locked in the order of their keys, everywhere.
_TAKE: Final = """
WITH counting AS (
    SELECT key, each, span FROM {asked} WHERE NOT (is_for_strangers AND EXISTS (
        SELECT FROM accounts_session WHERE user_id = %(stranger_id)s AND address = %(stranger_at)s
    ))
), taken AS (
    INSERT INTO accounts_attempts AS held (key, used_until, span)
    SELECT key, {now} + each, span FROM counting ORDER BY key
    ON CONFLICT (key) DO UPDATE SET span = EXCLUDED.span, used_until =
        greatest(held.used_until, {now}) + (EXCLUDED.used_until - {now})
    WHERE greatest(held.used_until, {now}) + (EXCLUDED.used_until - {now})
        <= {now} + EXCLUDED.span
    RETURNING key
)
SELECT key, taken.key IS NOT NULL FROM counting LEFT JOIN taken USING (key)
"""
_GIVE_BACK: Final = """
WITH locked AS (
    SELECT key, asked.each FROM accounts_attempts JOIN {asked} USING (key) ORDER BY key FOR UPDATE
)
UPDATE accounts_attempts AS held SET used_until = held.used_until - locked.each
FROM locked WHERE held.key = locked.key
"""
_WAIT: Final = """
SELECT max(held.used_until + asked.each - asked.span - {now})
FROM accounts_attempts AS held JOIN {asked} USING (key)
"""
_NOW: Final = "statement_timestamp()"
_ASKED: Final = """
unnest(%(keys)s::bytea[], %(each)s::interval[], %(spans)s::interval[], %(for_strangers)s::bool[])
    AS asked (key, each, span, is_for_strangers)
"""
# Should Postgres fall, the tries of its last moment are forgotten: nobody waits for the disk.
_UNHURRIED: Final = "SET LOCAL synchronous_commit TO off; "
_TIDY: Final = """
DELETE FROM accounts_attempts WHERE key IN (
    SELECT key FROM accounts_attempts WHERE used_until < {now}
    LIMIT 1000 FOR UPDATE SKIP LOCKED
)
"""


class Caller(NamedTuple):
    """Somebody at an address, who is a stranger there unless a session of this user was."""

    user_id: int | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is counted, by whom; the table holds only a hash of the name.

    One with a `stranger` counts only if he is one, which the statement that counts looks up.
    """

    name: str
    most: int
    seconds: float
    stranger: Caller | None = None

    @property
    def key(self) -> bytes:
        return sha256(self.name.encode()).digest()


def guesses_at(*, name: str, user: User | None, address: str, kind: str = "guess") -> list[Bucket]:
    """What a wrong password, or a guess of another kind, at this name from here counts against."""
    name, place = name.lower(), network_of(address)
    limits = settings.LIMITS
    mine = Bucket(f"{kind} {place} {name}", limits["LOGINS_PER_MINUTE"], MINUTE)
    most, caller = limits["LOGINS_BY_STRANGERS"], _caller(user, address)
    by_strangers = Bucket(f"{kind} by strangers {name}", most, HOUR, stranger=caller)
    return [mine, *guesses_from(address=address, kind=kind), by_strangers]


def guesses_from(*, address: str, kind: str = "guess") -> list[Bucket]:
    """What a wrong one counts against from here, whoever it is meant for."""
    most = settings.LIMITS["LOGINS_PER_ADDRESS"]
    return [Bucket(f"{kind} {network_of(address)}", most, MINUTE)]


def mails_to(*, name: str, user: User | None, address: str) -> list[Bucket]:
    name, place = name.lower(), network_of(address)
    limits = settings.LIMITS
    most, caller = limits["MAILS_BY_STRANGERS"], _caller(user, address)
    return [
        Bucket(f"mail {place} {name}", limits["MAILS_PER_HOUR"], HOUR),
        Bucket(f"mail {place}", limits["MAILS_PER_ADDRESS"], HOUR),
        Bucket(f"mail by strangers {name}", most, HOUR, stranger=caller),
    ]


def registrations(*, address: str) -> list[Bucket]:
    most = settings.LIMITS["REGISTRATIONS_PER_HOUR"]
    return [Bucket(f"register {network_of(address)}", most, HOUR)]


def refreshes(*, session_id: object) -> list[Bucket]:
    return [Bucket(f"refresh {session_id}", settings.LIMITS["REFRESHES_PER_MINUTE"], MINUTE)]


def wrong_refreshes(*, address: str) -> list[Bucket]:
    most = settings.LIMITS["REFRESHES_PER_MINUTE"]
    return [Bucket(f"wrong refresh {network_of(address)}", most, MINUTE)]


def pictures(*, user_id: int) -> list[Bucket]:
    return [Bucket(f"picture {user_id}", settings.LIMITS["PICTURES_PER_HOUR"], HOUR)]


def exports(*, user_id: int) -> list[Bucket]:
    return [Bucket(f"export {user_id}", settings.LIMITS["EXPORTS_PER_HOUR"], HOUR)]


@contextmanager
def counting_failures(buckets: Sequence[Bucket], *, every: Sequence[Bucket] = ()) -> Iterator[None]:
    """Count what is tried within unless it succeeds, and in `every` if it does.

    Raises TooManyTries before it is tried.

    It is counted first and given back afterwards, so that many at once cannot slip through. Not
    within a transaction, which would be rolled back with the failure and would hold the locks.
    """
    counted = count([*buckets, *every])
    yield
    give_back([bucket for bucket in buckets if bucket in counted])


def count(buckets: Sequence[Bucket]) -> Sequence[Bucket]:
    """Count a try and return in which it counts, or raise TooManyTries and count nothing."""
    if random() < TIDYING:  # noqa: S311 - no secret
        _ask(_TIDY)
    given = {bytes(key): is_given for key, is_given in _ask(_TAKE, buckets)}
    counted = [bucket for bucket in buckets if given.get(bucket.key)]
    if len(counted) == len(given):
        return counted
    give_back(counted)
    refusing = [bucket for bucket in buckets if given.get(bucket.key) is False]
    [(wait,)] = _ask(_WAIT, refusing)
    raise TooManyTries(max(1, ceil(wait.total_seconds())) if wait else 1)


def give_back(buckets: Sequence[Bucket]) -> None:
    _ask(_GIVE_BACK, buckets)


def give_back_and_execute(
    buckets: Sequence[Bucket], statement: str, values: Mapping[str, Any]
) -> int:
    """Do both in one round trip, and return how many rows the statement changed.

    Each in a transaction of its own, so that no bucket is held while the statement waits.
    """
    giving_back = _GIVE_BACK.format(asked=_ASKED) + ";" if buckets else ""
    if buckets and not connection.in_atomic_block:
        # Where it fails, BEGIN stays open: service_kit.postgresql replaces such a connection.
        giving_back = f"BEGIN; {_UNHURRIED} {giving_back} COMMIT;"
    with connection.cursor() as cursor:
        cursor.execute(giving_back + statement, {**_values(buckets), **values})
        changed: int = cursor.rowcount
    return changed


def _caller(user: User | None, address: str) -> Caller:
    """Return user 0 for nobody, so that it takes as long."""
    return Caller(user.pk if user else 0, address or None)


def _ask(statement: str, buckets: Sequence[Bucket] = ()) -> list[tuple[Any, ...]]:
    # Within a transaction it would be what else is stored there that nobody waits for.
    unhurried = "" if connection.in_atomic_block else _UNHURRIED
    with connection.cursor() as cursor:
        cursor.execute(unhurried + statement.format(asked=_ASKED, now=_NOW), _values(buckets))
        return cursor.fetchall() if cursor.description else []


def _values(buckets: Sequence[Bucket]) -> dict[str, Any]:
    each = [timedelta(seconds=bucket.seconds / bucket.most) for bucket in buckets]
    # One for all of them, as a constant: for a column Postgres might read every session there is.
    caller = next((bucket.stranger for bucket in buckets if bucket.stranger), Caller(None, None))
    return {
        "keys": [bucket.key for bucket in buckets],
        "each": each,
        "spans": [one * bucket.most for one, bucket in zip(each, buckets, strict=True)],
        "for_strangers": [bucket.stranger is not None for bucket in buckets],
        "stranger_id": caller.user_id,
        "stranger_at": caller.address,
    }
