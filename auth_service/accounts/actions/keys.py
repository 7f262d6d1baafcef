"""Putting another key in the place of the one that signs, without refusing a token of either."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import KeyTooNew, NoKeysToRotate
from accounts.keys.current import retirement
from accounts.keys.files import MAKERS, SigningKey, new_key, root_key
from accounts.keys.sealing import seal
from accounts.models import StoredKey

# Longer than any verifier, or cache between us, keeps a key set: ten times five minutes and more.
PUBLISHED_BEFORE_USE: Final = timedelta(hours=1)


def rotate_signing_keys() -> Sequence[StoredKey]:
    """Let the next key sign, retire the one that did, and publish another next one.

    The first time one is only published. KeyTooNew, and nothing changed, if the next key has not
    been public for an hour. Returns every key there is then.
    """
    if settings.JWT_SECRET or settings.JWT_ALGORITHM not in MAKERS:
        raise NoKeysToRotate
    with transaction.atomic():
        _one_at_a_time()
        now = timezone.now()
        _forget_old(now)
        following = _keys().filter(state=StoredKey.NEXT).first()
        if following is not None:
            _take_over(following, now)
        elif not _keys().filter(state=StoredKey.ACTIVE).exists():
            _store(root_key(), StoredKey.ACTIVE, now)
        _store(new_key(settings.JWT_ALGORITHM), StoredKey.NEXT, now)
        return list(_keys().order_by("published_at"))


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_storedkey IN SHARE ROW EXCLUSIVE MODE")


def _keys() -> QuerySet[StoredKey]:
    return StoredKey.objects.filter(root=root_key().key_id)


def _forget_old(now: datetime) -> None:
    _keys().filter(retired_at__lt=now - retirement()).delete()


def _take_over(following: StoredKey, now: datetime) -> None:
    usable_at = following.published_at + PUBLISHED_BEFORE_USE
    if now < usable_at:
        raise KeyTooNew(usable_at)
    _keys().filter(state=StoredKey.ACTIVE).update(state=StoredKey.RETIRED, retired_at=now)
    _keys().filter(pk=following.pk).update(state=StoredKey.ACTIVE)


def _store(key: SigningKey, state: str, now: datetime) -> None:
    StoredKey.objects.create(
        key_id=key.key_id,
        root=root_key().key_id,
        state=state,
        public=key.public,
        sealed=seal(key),
        published_at=now,
    )
