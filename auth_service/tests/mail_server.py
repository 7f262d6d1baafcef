"""A real mail server on a port of its own, and what stands in the mails it took."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from accounts.actions.sending import send_next_mail


@dataclass(frozen=True)
class Received:
    to: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(self.message.get_content())

    @property
    def code(self) -> str:
        return re.match(r"[0-9A-Z]{4}-[0-9A-Z]{4}", self.text)[0]

    @property
    def link(self) -> str:
        return re.search(r"http\S+", self.text)[0]

    @property
    def token(self) -> str:
        return self.link.partition("?token=")[2]


@dataclass
class Inbox:
    """Takes every mail, unless one of `refuses_…` is what to say instead."""

    mails: list[Received] = field(default_factory=list)
    refuses_mail: str = ""
    refuses_rcpt: str = ""
    refuses_data: str = ""

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.refuses_mail or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses_rcpt:
            return self.refuses_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses_data:
            return self.refuses_data
        message: Any = message_from_bytes(envelope.content, policy=default)
        self.mails.append(Received(envelope.rcpt_tos, message))
        return "250 OK"

    def deliver(self) -> list[Received]:
        """Have sent what is due, and return what came then."""
        before = len(self.mails)
        while send_next_mail():
            pass
        return self.mails[before:]


def mail_server(inbox: Inbox, port: int) -> Controller:
    return Controller(inbox, hostname="127.0.0.1", port=port)
