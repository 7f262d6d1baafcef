"""`manage.py doctor`: whether this service has all it needs, and what to do where it has not."""

import stat
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from accounts.keys.files import root_key
from service_kit import doctor


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
            "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and _PASSWORD.",
        ) from error
    return "there is a way for mails"


class Command(doctor.Doctor):
    checks = {"keys": check_keys, "mail": check_mail}
