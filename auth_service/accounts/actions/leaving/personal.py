"""What is kept of people, table by table: as which file of an export, and what erasing does.

A new table that names somebody gets a line here, or a test fails. `person` is the column that
names the person. Rows are deleted with the account, unless `kept` says why they stay.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet

from accounts.models import (
    LoginChallenge,
    Mail,
    MailCode,
    RecoveryCode,
    SecondFactor,
    SecurityEvent,
    Session,
    User,
)
from accounts.serializers import user_json

CHUNK: Final = 500

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Personal:
    """`show` makes a row of `part`; without a part nothing is exported."""

    model: type[Model]
    person: str
    part: str = ""
    show: Callable[[Any], Row] | None = None
    kept: str = ""

    def of(self, user_id: int) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.filter(**{self.person: user_id})  # noqa: SLF001 - it is public
        return rows

    def rows(self, user_id: int) -> Iterator[Row]:
        """Yield what is exported, some rows at a time."""
        assert self.show is not None
        rows = self.of(user_id).order_by("pk")
        page = list(rows[:CHUNK])
        while page:
            yield from map(self.show, page)
            page = list(rows.filter(pk__gt=page[-1].pk)[:CHUNK])


def _account(user: User) -> Row:
    return user_json(user) | {
        "email_verified_at": user.email_verified_at,
        "mfa_enabled_at": user.mfa_enabled_at,
        "is_operator": user.is_staff,
    }


def _session(session: Session) -> Row:
    return {
        "id": session.pk,
        "device": session.device,
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "ended_at": session.ended_at,
    }


def _security_event(event: SecurityEvent) -> Row:
    return {
        "id": event.pk,
        "at": event.at,
        "event": event.event,
        "session": event.session_id,
        "address": event.address,
        "reason": event.reason,
        "request_id": event.request_id,
    }


def _mail(mail: Mail) -> Row:
    return {
        "kind": mail.kind,
        "to": mail.address,
        "caller": mail.caller,
        "created_at": mail.created_at,
        "due_at": mail.due_at,
    }


def _mail_code(code: MailCode) -> Row:
    return {"purpose": code.purpose, "expires_at": code.expires_at}


def _second_factor(factor: SecondFactor) -> Row:
    unused = RecoveryCode.objects.filter(user=factor.user_id).count()
    return {
        "enabled_at": factor.user.mfa_enabled_at,
        "recovery_codes_left": unused,
    }


PERSONAL: Final = (
    Personal(Session, "user", "sessions", _session),
    Personal(Mail, "user_id", "mails-to-be-sent", _mail),
    Personal(MailCode, "user", "mailed-codes", _mail_code),
    Personal(SecondFactor, "user", "second-factor", _second_factor),
    # A hash, of which the second factor shows the number; and what lasts for minutes.
    Personal(RecoveryCode, "user"),
    Personal(LoginChallenge, "user"),
    # What operators did on their pages.
    Personal(LogEntry, "user"),
    Personal(
        SecurityEvent,
        "user_id",
        "security-events",
        _security_event,
        kept="Whoever guards the system can rely on them. Their addresses go.",
    ),
    # The last: the others name it.
    Personal(User, "id", "account", _account),
)
