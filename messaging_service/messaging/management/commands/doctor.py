"""`manage.py doctor`: whether this service has all it needs, and what to do where it has not."""

from http import HTTPStatus

from messaging.actions.erasing import open_erasures
from messaging.queries.auth_service import ask_auth_service
from service_kit import doctor
from service_kit.keys import key_ring


def check_keys() -> str:
    ring = key_ring()
    if ring.only is not None:
        return "one, from the settings"
    ring.start()
    if ring.is_empty:
        raise doctor.TroubleError(
            "There is no key to verify tokens with, neither at AUTH_API_URL nor on disk.",
            "Start auth_service, and see to AUTH_API_URL and JWKS_CACHE_FILE.",
        )
    return "can be fetched, or are on disk"


def check_auth_service() -> str:
    """Ask for nobody, as those are asked for whom this service does not know."""
    path, patience = "/internal/users/?ids=0", doctor.PATIENCE_SECONDS
    found = doctor.status_of("AUTH_API_URL", lambda: ask_auth_service(path, seconds=patience))
    if found == HTTPStatus.UNAUTHORIZED:
        raise doctor.TroubleError(
            "auth_service takes another INTERNAL_SECRET than this service has.",
            "Set the same in both, and restart both.",
        )
    if found != HTTPStatus.OK:
        raise doctor.stranger("AUTH_API_URL", found)
    return "answers, and takes INTERNAL_SECRET"


def check_erasures() -> str:
    doctor.ask_postgres("SELECT 1")
    return doctor.assert_under_way(
        "erasures",
        *open_erasures(),
        remedy="Look for `somebody cannot be erased now` in the logs of messaging_service; once"
        " that is mended, or where this service was away, it goes on by itself.",
    )


class Command(doctor.Doctor):
    checks = {"keys": check_keys, "auth": check_auth_service, "erasures": check_erasures}
