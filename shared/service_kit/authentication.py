"""Who is calling over HTTP, by the Authorization header or by a browser's cookie."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from service_kit.refusals import Refusal
from service_kit.tokens import Claims, verify

ACCESS_COOKIE: Final = "access_token"
CSRF_COOKIE: Final = "csrftoken"


@dataclass(frozen=True, slots=True)
class Caller:
    """The person a token speaks for, as `request.user`; no row stands behind it."""

    claims: Claims

    is_authenticated = True
    is_anonymous = False
    is_active = True

    @property
    def id(self) -> str:
        """The user id."""
        return self.claims.user_id

    @property
    def pk(self) -> str:
        """The same, under the name DRF's throttles look for."""
        return self.claims.user_id


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`, exactly one (RFC 6750 section 2.1), or a cookie.

    The header beats the cookie `access_token`, which for an unsafe method needs the proof that a
    page of ours asks: see `require_csrf_token`. Without either the caller is anonymous. Anything
    else that is not one good token raises Refusal `token_expired` or `not_authenticated`.
    """

    refusals: tuple[str, ...] = ("not_authenticated", "token_expired")

    def authenticate(self, request: Request) -> tuple[Caller, Claims] | None:
        token = shown_token(request)
        if token is None:
            return None
        claims = verify(token)
        if "HTTP_AUTHORIZATION" not in request.META:
            require_csrf_token(request)
        return Caller(claims), claims

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - as in the base class
        return "Bearer"


def shown_token(request: Request) -> str | None:
    """Return the access token of a request, whatever it is worth: of the header, or of the cookie.

    Raises Refusal `not_authenticated` for a header that is no Bearer header.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    return _bearer(header) if header is not None else request.COOKIES.get(ACCESS_COOKIE) or None


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal("not_authenticated", "One Authorization: Bearer header is expected.")
    # Servers join a repeated header with a comma, which makes it no token.
    return token.strip(" ")


def require_csrf_token(request: Request) -> None:
    """Raise `forbidden` for an unsafe method without X-CSRFToken equal to the cookie `csrftoken`.

    A browser sends cookies whoever asks, but only pages of the cookie's own site can read it.
    """
    if request.method in SAFE_METHODS:
        return
    cookie = request.COOKIES.get(CSRF_COOKIE, "")
    shown = request.META.get("HTTP_X_CSRFTOKEN", "")
    if not cookie or not compare_digest(cookie.encode(), shown.encode()):
        raise Refusal("forbidden", "X-CSRFToken must be what the cookie csrftoken holds.")


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """AccessTokenAuthentication as drf-spectacular writes it into the OpenAPI document."""

    target_class = "service_kit.authentication.AccessTokenAuthentication"
    name = ["bearer", "cookie"]

    def get_security_requirement(
        self,
        auto_schema: object,  # noqa: ARG002 - as in the base class
    ) -> list[dict[str, list[object]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(
        self,
        auto_schema: object,  # noqa: ARG002 - as in the base class
    ) -> list[dict[str, str]]:
        header = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        cookie = {
            "type": "apiKey",
            "in": "cookie",
            "name": ACCESS_COOKIE,
            "description": "Set by a login with `session`. For unsafe methods the header "
            "`X-CSRFToken` must equal the cookie `csrftoken`.",
        }
        return [header, cookie]
