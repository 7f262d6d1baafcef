"""Asking auth_service, with the credential the two services share."""

from django.conf import settings

from service_kit.fetching import MAX_BYTES, fetch


def ask_auth_service(path: str, *, seconds: float, most: int = MAX_BYTES) -> bytes:
    """GET a path of its inner side; raises what `fetch` raises for all but a good answer."""
    headers = {"Authorization": f"Bearer {settings.INTERNAL_SECRET}"}
    url = f"{settings.AUTH_API_URL.rstrip('/')}{path}"
    return fetch(url, headers=headers, seconds=seconds, most=most)
