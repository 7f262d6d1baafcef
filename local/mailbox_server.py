"""Takes every mail and shows it to whoever looks; nothing leaves this machine, nothing is kept.

Usage: python -m local.mailbox_server <SMTP port> <HTTP port>

/mail/                   all there are, the newest first
/mail/view/latest.txt    the newest as plain text; with its number, another
/mail/api/v1/messages    all there are as JSON
/mail/readyz             whether it is up

The paths are those of Mailpit, which stands for this in docker-compose.yaml.
"""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

MOST: Final = 500
PAGE: Final = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:48rem}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere}}</style>
<h1>Mails</h1>{mails}"""
MAIL: Final = "<article><hr><h2>{subject}</h2><p>{at}, to {to}</p><pre>{text}</pre></article>"
NONE: Final = "<p>None yet. They are forgotten when this server stops.</p>"
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Mail:
    number: str
    at: str
    to: list[str]
    subject: str
    text: str

    def html(self) -> str:
        link = r'<a href="\g<0>" rel="noreferrer">\g<0></a>'
        text = re.sub(r"https?://[\w.:/?=&;%-]+", link, escape(self.text))
        return MAIL.format(
            subject=escape(self.subject),
            at=escape(self.at),
            to=escape(", ".join(self.to)),
            text=text,
        )

    def json(self) -> dict[str, Any]:
        to = [{"Name": "", "Address": address} for address in self.to]
        return {"ID": self.number, "To": to, "Subject": self.subject, "Created": self.at}


@dataclass
class Mailbox:
    """The newest mails, as aiosmtpd hands them over."""

    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=MOST))
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(envelope.original_content or b"", policy=default)
        body = message.get_body(("plain",))
        self.mails.appendleft(
            Mail(
                number=str(next(self.numbers)),
                at=str(message["Date"]),
                to=list(envelope.rcpt_tos),
                subject=str(message["Subject"]),
                text=str(body.get_content()) if body else "",
            )
        )
        return "250 OK"

    def answer(self, path: str) -> tuple[str, str] | None:
        """Return the type and text of what is at a path, if anything is."""
        mails = list(self.mails)
        if path == "/mail/":
            shown = "".join(mail.html() for mail in mails) or NONE
            return "text/html", PAGE.format(mails=shown)
        if path == "/mail/api/v1/messages":
            return "application/json", json.dumps({"messages": [mail.json() for mail in mails]})
        if path == "/mail/readyz":
            return "text/plain", "ok"
        if found := re.fullmatch(r"/mail/view/(\w+)\.txt", path):
            for mail in mails:
                if found[1] in {mail.number, "latest"}:
                    return "text/plain", mail.text
        return None


def reader_of(mailbox: Mailbox) -> type[BaseHTTPRequestHandler]:
    class Reader(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = mailbox.answer(self.path.partition("?")[0])
            kind, text = answer or ("text/plain", "Nothing here.")
            self.send_response(HTTPStatus.OK if answer else HTTPStatus.NOT_FOUND)
            for name, value in {
                "Content-Type": f"{kind}; charset=utf-8",
                "Content-Security-Policy": POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing: who reads which mail is nobody's business."""

    return Reader


def main(smtp_port: int, http_port: int, host: str = "127.0.0.1") -> None:
    """Serve until the process is ended."""
    mailbox = Mailbox()
    Controller(mailbox, hostname=host, port=smtp_port).start()
    ThreadingHTTPServer((host, http_port), reader_of(mailbox)).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
