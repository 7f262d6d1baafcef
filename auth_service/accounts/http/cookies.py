"""Sessions of web pages: the tokens in cookies, which no script can read.

access_token    for both services, which read it in service_kit.authentication
refresh_token   for the refresh path alone
csrftoken       for scripts, to be shown as X-CSRFToken
"""

from secrets import token_urlsafe
from typing import Any, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.sessions import SignedIn
from accounts.serializers import user_json
from service_kit.authentication import ACCESS_COOKIE, CSRF_COOKIE, require_csrf_token

REFRESH_COOKIE: Final = "refresh_token"
CSRF_BYTES: Final = 32
ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    ACCESS_COOKIE: {"path": "/", "httponly": True, "samesite": "Lax"},
    REFRESH_COOKIE: {"path": "/api/auth/refresh/", "httponly": True, "samesite": "Strict"},
    CSRF_COOKIE: {"path": "/", "httponly": False, "samesite": "Lax"},
}


def in_cookies(signed_in: SignedIn, *, csrf_token: str = "") -> Response:
    """Answer with the tokens in cookies; the body shows none of them.

    The CSRF token is in the body too: a page of another origin of the same site may not read the
    cookie.
    """
    csrf_token = csrf_token or token_urlsafe(CSRF_BYTES)
    response = Response({"user": user_json(signed_in.user), "csrf_token": csrf_token})
    _put(response, ACCESS_COOKIE, signed_in.access, settings.ACCESS_TOKEN_SECONDS)
    _put(response, REFRESH_COOKIE, signed_in.refresh, settings.REFRESH_TOKEN_SECONDS)
    _put(response, CSRF_COOKIE, csrf_token, settings.REFRESH_TOKEN_SECONDS)
    return response


def refresh_token_of(request: Request) -> str | None:
    """Return the cookie's refresh token where the body brings none.

    Raises `forbidden` if the request does not show the CSRF token beside it.
    """
    token = request.COOKIES.get(REFRESH_COOKIE)
    if not token or not isinstance(request.data, dict) or "refresh" in request.data:
        return None
    require_csrf_token(request)
    return token


def csrf_token_of(request: Request) -> str:
    return request.COOKIES.get(CSRF_COOKIE, "")


def without_cookies(request: Request, response: Response) -> Response:
    """Take the cookies back from a browser that showed one."""
    if ACCESS_COOKIE in request.COOKIES:
        for name in ATTRIBUTES:
            _put(response, name, "", 0)
    return response


def _put(response: Response, name: str, value: str, seconds: int) -> None:
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=seconds, secure=secure, **ATTRIBUTES[name])
