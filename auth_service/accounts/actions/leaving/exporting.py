"""All that both services keep of a person, in one file."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from operator import attrgetter
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any, Final

from accounts.actions.attempts import count, exports
from accounts.actions.audit import record
from accounts.actions.avatars import avatar_file
from accounts.actions.leaving.messaging import pages_of_messaging
from accounts.actions.leaving.personal import PERSONAL
from accounts.errors import ExportUnavailable, NoSuchPicture
from accounts.models import Session, User
from service_kit.rendering import encode_json

# Of the threads of a process; the others go on logging people in.
MOST_AT_ONCE: Final = 2

_turns: Final = BoundedSemaphore(MOST_AT_ONCE)

Rows = Iterable[Mapping[str, Any]]


def export_account(*, session: Session, token: str) -> IO[bytes]:
    """Return a ZIP of JSON files and the picture, in a file that is gone once it is closed.

    `token` is the access token that asks, with which messaging_service is asked as well.
    ExportUnavailable if that cannot answer, or others are being served; TooManyTries.
    """
    count(exports(user_id=session.user_id))
    with _turn(), ExitStack() as until_whole:
        file: IO[bytes] = until_whole.enter_context(TemporaryFile())
        _write(file, user=session.user, token=token)
        until_whole.pop_all()
    record("account.exported", user_id=session.user_id, session_ids=[session.pk])
    file.seek(0)
    return file


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        raise ExportUnavailable
    try:
        yield
    finally:
        _turns.release()


def _write(file: IO[bytes], *, user: User, token: str) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # First what may be away, so that little was done in vain.
        for part, pages in groupby(pages_of_messaging(token=token), attrgetter("part")):
            rows = (row for page in pages for row in page.rows)
            _write_part(archive, f"messaging/{part}.json", rows)
        for personal in PERSONAL:
            if personal.part:
                _write_part(archive, f"account/{personal.part}.json", personal.rows(user.pk))
        if user.avatar:
            with suppress(NoSuchPicture):
                archive.writestr("account/avatar.webp", avatar_file(user.avatar))


def _write_part(archive: zipfile.ZipFile, name: str, rows: Rows) -> None:
    """Write a JSON list, a row to a line, without holding more than a page of it."""
    with archive.open(name, "w", force_zip64=True) as file:
        separator = b"[\n"
        for row in rows:
            file.write(separator + encode_json(row))
            separator = b",\n"
        file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")
