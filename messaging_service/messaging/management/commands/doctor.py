"""`manage.py doctor`: whether this service has all it needs, and what to do where it has not."""

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


class Command(doctor.Doctor):
    checks = {"keys": check_keys}
