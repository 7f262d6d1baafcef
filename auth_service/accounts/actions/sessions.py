"""Opening and ending sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions.attempts import Bucket, give_back, give_back_and_execute
from accounts.actions.audit import circumstances, record, tell
from accounts.actions.events import tell_sessions_ended
from accounts.actions.mfa.challenges import open_challenge
from accounts.actions.proving import try_password
from accounts.devices import Device
from accounts.errors import EmailUnverified, MfaRequired, NoSuchSession, WrongCredentials
from accounts.models import Session, User
from accounts.permissions import locked_session, locked_user, read_uuid
from accounts.tokens import RefreshToken, access_token, new_refresh_token

# One statement, as every wait for the database is felt by who logs in.
_OPEN = """
WITH person AS (
    SELECT id FROM accounts_user
    WHERE id = %(user_id)s AND password = %(password)s AND is_active
      AND mfa_enabled_at IS NOT DISTINCT FROM %(mfa_enabled_at)s
    FOR NO KEY UPDATE
), opened AS (
    INSERT INTO accounts_session
        (id, user_id, device, address, refresh_hash, created_at, last_used_at)
    SELECT %(id)s, id, %(device)s, %(place)s, %(refresh_hash)s, %(now)s, %(now)s FROM person
    RETURNING id, user_id
)
INSERT INTO accounts_securityevent (event, user_id, session_id, address, request_id, reason)
SELECT %(event)s, user_id, id, %(address)s, %(request_id)s, '' FROM opened
"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    access: str
    refresh: str


def log_in(*, name: str, password: str, device: Device, in_cookies: bool = False) -> SignedIn:
    """Open a session for a username or address; WrongCredentials says nothing of the reason.

    For whoever knows the password: EmailUnverified, where the settings ask for it; MfaRequired with
    a challenge, where a code is asked for too (actions.mfa.login).
    """
    user, tries = try_password(name=name, password=password, address=device.address)
    if user.mfa_enabled_at or _has_to_verify(user):
        give_back(tries)
        tries = ()
    while True:
        if _has_to_verify(user):
            raise EmailUnverified
        try:
            if user.mfa_enabled_at:
                raise MfaRequired(open_challenge(user=user, in_cookies=in_cookies))
            return open_session(user=user, device=device, event="login.succeeded", tries=tries)
        except WrongCredentials:
            user, tries = _proven_again(user, password), ()


def _has_to_verify(user: User) -> bool:
    return settings.EMAIL_VERIFICATION == "required" and user.email_verified_at is None


def _proven_again(user: User, password: str) -> User:
    """Return the user as he is now, if he may still log in with this password."""
    now = User.objects.filter(pk=user.pk, is_active=True).first()
    if now is None or not check_password(password, now.password):
        raise WrongCredentials
    return now


def open_session(
    *, user: User, device: Device, event: str, tries: Sequence[Bucket] = ()
) -> SignedIn:
    """Begin a session because of a security event; what was tried for it is given back.

    WrongCredentials if the password, or the second factor, is another now: whoever changes one ends
    the sessions there are, and one of before is ended or not opened.
    """
    now = timezone.now()
    session = Session(
        user=user,
        device=device.name,
        address=device.address or None,
        created_at=now,
        last_used_at=now,
    )
    refresh = new_refresh_token(session.pk)
    session.refresh_hash = refresh.digest
    _store(session, event, tries)
    tell(event, user_id=user.pk, session_id=session.pk)
    return signed_in(session, refresh)


def _store(session: Session, event: str, tries: Sequence[Bucket]) -> None:
    values = {
        "id": session.pk,
        "user_id": session.user_id,
        "password": session.user.password,
        "mfa_enabled_at": session.user.mfa_enabled_at,
        "device": session.device,
        "place": session.address,
        "refresh_hash": session.refresh_hash,
        "now": session.created_at,
        "event": event,
        **circumstances(),
    }
    if not give_back_and_execute(tries, _OPEN, values):
        raise WrongCredentials


def signed_in(session: Session, refresh: RefreshToken) -> SignedIn:
    access = access_token(user=session.user, session=session)
    return SignedIn(session.user, access, refresh.text)


def end_session(*, session_id: str) -> None:
    """End a session; ending it again changes nothing, and neither does what is no session."""
    sid = read_uuid(session_id)
    if sid is not None:
        with transaction.atomic():
            session = locked_session(session_id=sid)
            if session is not None and session.ended_at is None:
                end_locked(session, reason="logout")


def end_session_of(*, user: User, session_id: str) -> None:
    """End one of a person's own sessions; NoSuchSession if it is not, or has ended."""
    sid = read_uuid(session_id)
    with transaction.atomic():
        session = None if sid is None else locked_session(session_id=sid)
        if session is None or session.user_id != user.pk or session.ended_at:
            raise NoSuchSession
        end_locked(session, reason="ended")


def end_all_sessions(*, user: User) -> None:
    """End every session of a person."""
    with transaction.atomic():
        locked_user(user_id=user.pk)
        end_sessions_of(user.pk, reason="logout_all")


def end_sessions_of(user_id: int, *, reason: str, but: UUID | None = None) -> None:
    """End a locked person's sessions, but for one, in the caller's transaction."""
    live = Session.objects.filter(user_id=user_id, ended_at=None)
    others = live if but is None else live.exclude(pk=but)
    _end(others.select_for_update(no_key=True).order_by("pk"), user_id, reason)


def end_locked(session: Session, *, reason: str) -> None:
    """End a locked session in the caller's transaction."""
    _end(Session.objects.filter(pk=session.pk), session.user_id, reason)


def _end(sessions: QuerySet[Session], user_id: int, reason: str) -> None:
    ids = list(sessions.values_list("pk", flat=True))
    # Read when all are locked: no token of theirs can be younger.
    now = timezone.now()
    Session.objects.filter(pk__in=ids).update(ended_at=now)
    tell_sessions_ended(user_id=user_id, session_ids=ids, at=now, reason=reason)
    record("session.ended", user_id=user_id, session_ids=ids, reason=reason)
