"""Opening, renewing and ending a session."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.actions.events import tell_sessions_ended
from accounts.errors import RefreshRefused, WrongCredentials
from accounts.models import Session, User
from accounts.permissions import account_named, locked_session, read_uuid
from accounts.tokens import RefreshToken, access_token, new_refresh_token, read_refresh_token

# What is compared where there is no account, so that a stranger's name costs a hash too.
UNUSABLE = "!"


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    access: str
    refresh: str


def log_in(*, name: str, password: str) -> SignedIn:
    """Open a session for a username or address; WrongCredentials says nothing of the reason."""
    user = account_named(name)
    known = user.password if user else UNUSABLE

    def keep_stronger(raw: str) -> None:
        with transaction.atomic():
            User.objects.filter(password=known).update(password=make_password(raw))

    if not check_password(password, known, setter=keep_stronger) or not user or not user.is_active:
        raise WrongCredentials
    with transaction.atomic():
        return open_session(user=user)


def open_session(*, user: User) -> SignedIn:
    """Begin a session in the caller's transaction."""
    now = timezone.now()
    session = Session(user=user, created_at=now, last_used_at=now)
    refresh = new_refresh_token(session.pk)
    session.refresh_hash = refresh.digest
    session.save(force_insert=True)
    return _signed_in(session, refresh)


def refresh_session(*, refresh: str) -> SignedIn:
    """Renew a session: a refresh token works once, and using it again ends its session.

    Whoever shows an old token again, or the thief of it, has a copy: neither may go on
    (RFC 9700, section 4.14.2).
    """
    shown = read_refresh_token(refresh)
    if shown is None:
        raise RefreshRefused
    # The end of a replayed session is committed before the refusal is raised.
    with transaction.atomic():
        renewed = _rotate(shown)
    if renewed is None:
        raise RefreshRefused
    return renewed


def _rotate(shown: RefreshToken) -> SignedIn | None:
    now = timezone.now()
    session = locked_session(session_id=shown.session_id)
    if session is None or session.ended_at or _too_old(session, now) or not session.user.is_active:
        return None
    if not constant_time_compare(bytes(session.refresh_hash), shown.digest):
        _end(session, now, "replay")
        return None
    successor = new_refresh_token(session.pk)
    session.refresh_hash, session.last_used_at = successor.digest, now
    session.save(update_fields=["refresh_hash", "last_used_at"])
    return _signed_in(session, successor)


def end_session(*, session_id: str) -> None:
    """End a session; ending it again changes nothing, and neither does what is no session."""
    sid = read_uuid(session_id)
    if sid is not None:
        with transaction.atomic():
            session = locked_session(session_id=sid)
            if session is not None and session.ended_at is None:
                _end(session, timezone.now(), "logout")


def _end(session: Session, now: datetime, reason: str) -> None:
    session.ended_at = now
    session.save(update_fields=["ended_at"])
    tell_sessions_ended(user_id=session.user_id, session_ids=[session.pk], at=now, reason=reason)


def _too_old(session: Session, now: datetime) -> bool:
    unused, age = now - session.last_used_at, now - session.created_at
    longest_unused = timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
    return unused > longest_unused or age > timedelta(seconds=settings.SESSION_SECONDS)


def _signed_in(session: Session, refresh: RefreshToken) -> SignedIn:
    access = access_token(user=session.user, session=session)
    return SignedIn(session.user, access, refresh.text)
