"""`manage.py doctor`: whether this service has all it needs, and what to do where it has not."""

import stat
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryFile, gettempdir
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from accounts.actions.leaving.messaging import PATH
from accounts.keys.files import root_key
from accounts.keys.opening import open_keys, open_second_factors
from accounts.queries import waiting_mails
from service_kit import doctor
from service_kit.fetching import fetch
from service_kit.origins import is_allowed

LEAST_FREE_BYTES: Final = 500_000_000


def check_keys() -> str:
    if settings.JWT_SECRET:
        return f"a shared secret, for {settings.JWT_ALGORITHM}"
    file = Path(settings.JWT_PRIVATE_KEY_FILE)
    try:
        root_key()
    except ImproperlyConfigured as error:
        raise doctor.TroubleError(
            f"{error}.",
            "Put the key back; a first one, or one for a key that is lost (Key loss in"
            f" docs/operations.md): `openssl genpkey -algorithm ed25519 -out {file}`.",
        ) from error
    if file.stat().st_mode & stat.S_IRWXO:
        raise doctor.TroubleError(
            f"{file} may be read by anybody on this machine.", f"Run `chmod o-rwx {file}`."
        )
    return "the private key can be read, and not by everybody"


def check_sealed() -> str:
    doctor.ask_postgres("SELECT 1")
    try:
        keys, factors = open_keys(), open_second_factors()
    except ImproperlyConfigured as error:
        raise doctor.TroubleError(
            "Without the root key nothing that is sealed can be opened.", "See keys, above."
        ) from error
    if keys.number < keys.of:
        raise doctor.TroubleError(
            f"{keys.of - keys.number} of {keys.of} signing keys cannot be opened.",
            "Put back the accounts_storedkey of a backup, or delete its rows: the root key signs.",
        )
    if factors.number < factors.of:
        raise doctor.TroubleError(
            f"{factors.of - factors.number} of {factors.of} second factors cannot be opened.",
            "Put the root key back under which they were sealed. If it is lost, their owners need"
            " a recovery code, or `manage.py reset_mfa`: Key loss in docs/operations.md.",
        )
    return f"{keys.of} signing keys and {factors.of} second factors can be opened"


def check_mail() -> str:
    """Open a connection, with TLS and a login where the settings say so; send nothing."""
    if not settings.SENDS_MAIL:
        return "none is sent: no EMAIL_HOST is set"
    try:
        with get_connection():
            pass
    except Exception as error:
        raise doctor.TroubleError(
            f"No mail can be sent: {type(error).__name__}.",
            "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS or _SSL, EMAIL_HOST_USER and _PASSWORD.",
        ) from error
    return "there is a way for mails"


def check_waiting() -> str:
    doctor.ask_postgres("SELECT 1")
    return doctor.assert_under_way(
        "mails",
        *waiting_mails(),
        remedy="See that auth_service serves, and look for `no mail can be sent` in its log. If"
        " others go out, this addressee's server puts us off; it is given up within a day.",
    )


def check_links() -> str:
    if not settings.SENDS_MAIL:
        return "none are mailed"
    if not is_allowed(settings.PUBLIC_URL):
        raise doctor.TroubleError(
            "PUBLIC_URL is none of ALLOWED_ORIGINS: the pages that mails lead to would not work.",
            "Set PUBLIC_URL to the address people know this server by, and allow that origin.",
        )
    return f"those in mails lead to {settings.PUBLIC_URL}"


def check_pictures() -> str:
    """The folder is made with the first picture: until then one above it must let us."""
    folder = Path(settings.MEDIA_ROOT)
    return _room(
        lambda: next(each for each in (folder, *folder.parents) if each.exists()),
        "Have MEDIA_ROOT on a disk with room, where this service may write, the same for all its"
        " processes.",
    )


def check_exports() -> str:
    return _room(
        lambda: Path(gettempdir()),
        "Have /tmp, or what TMPDIR names, on a disk with room, where this service may write.",
    )


def check_messaging() -> str:
    """Ask for an export without the token it takes: only messaging_service refuses that so."""
    url = f"{settings.MESSAGING_API_URL.rstrip('/')}{PATH}"
    found = doctor.status_of("MESSAGING_API_URL", lambda: fetch(url))
    if found != HTTPStatus.UNAUTHORIZED:
        raise doctor.stranger("MESSAGING_API_URL", found)
    return "answers"


class Command(doctor.Doctor):
    checks = {
        "keys": check_keys,
        "sealed": check_sealed,
        "mail": check_mail,
        "waiting": check_waiting,
        "links": check_links,
        "pictures": check_pictures,
        "exports": check_exports,
        "messaging": check_messaging,
    }


def _room(find: Callable[[], Path], remedy: str) -> str:
    """Say how much room there is in a folder that can be written to."""
    try:
        folder = find()
        with TemporaryFile(dir=folder):
            free = disk_usage(folder).free
    except OSError as error:
        raise doctor.TroubleError(f"Nothing can be written: {error}.", remedy) from error
    if free < LEAST_FREE_BYTES:
        raise doctor.TroubleError(f"{folder} has {free / 1e6:.0f} MB left.", remedy)
    return f"{folder} can be written to, and has {free / 1e9:.1f} GB left"
