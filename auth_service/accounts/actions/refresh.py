"""Renewing a session: a refresh token is exchanged for the next one, once."""

from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.actions.attempts import counting_failures, refreshes, wrong_refreshes
from accounts.actions.audit import record
from accounts.actions.mails import tell_owner
from accounts.actions.sessions import SignedIn, end_locked, signed_in
from accounts.devices import Device
from accounts.errors import RefreshRefused
from accounts.letters import Notice
from accounts.models import Session
from accounts.permissions import is_too_old, locked_session
from accounts.tokens import RefreshToken, read_refresh_token, successor_of

GRACE: Final = timedelta(seconds=10)
SALT_BYTES: Final = 16


def refresh_session(*, refresh: str, device: Device) -> SignedIn:
    """Renew a session: a refresh token works once, and using it again ends its session.

    Whoever shows an old token again, or the thief of it, has a copy: neither may go on
    (RFC 9700, section 4.14.2). But for ten seconds, and until its successor is used, a token
    leads to the same successor once more: the first answer may have been lost.
    """
    shown = read_refresh_token(refresh)
    every = refreshes(session_id=shown.session_id) if shown else ()
    with counting_failures(wrong_refreshes(address=device.address), every=every):
        # The end of a replayed session is committed before the refusal is raised.
        with transaction.atomic():
            renewed = _exchange(shown, device) if shown else None
        if renewed is None:
            raise RefreshRefused
    return renewed


def _exchange(shown: RefreshToken, device: Device) -> SignedIn | None:
    session = locked_session(session_id=shown.session_id)
    now = timezone.now()
    if session is None or session.ended_at or is_too_old(session, now):
        return None
    if not session.user.is_active:
        return None
    if constant_time_compare(bytes(session.refresh_hash), shown.digest):
        return _rotate(session, shown, device, now)
    if _may_repeat(session, shown, now):
        return signed_in(session, _successor(session, shown))
    record("refresh.replayed", user_id=session.user_id, session_ids=[session.pk])
    tell_owner(Notice.REFRESH_REPLAYED, user=session.user)
    end_locked(session, reason="replay")
    return None


def _rotate(session: Session, shown: RefreshToken, device: Device, now: datetime) -> SignedIn:
    session.successor_salt = token_bytes(SALT_BYTES)
    successor = _successor(session, shown)
    session.used_hash, session.refresh_hash = shown.digest, successor.digest
    session.last_used_at, session.address = now, device.address or None
    session.save(
        update_fields=["successor_salt", "used_hash", "refresh_hash", "last_used_at", "address"]
    )
    return signed_in(session, successor)


def _may_repeat(session: Session, shown: RefreshToken, now: datetime) -> bool:
    if session.used_hash is None or now - session.last_used_at > GRACE:
        return False
    return constant_time_compare(bytes(session.used_hash), shown.digest)


def _successor(session: Session, shown: RefreshToken) -> RefreshToken:
    assert session.successor_salt is not None
    return successor_of(shown, bytes(session.successor_salt))
