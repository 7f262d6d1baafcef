"""Who is calling, by the Authorization header of an HTTP request."""

from dataclasses import dataclass

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from service_kit.refusals import Refusal
from service_kit.tokens import Claims, verify


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


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`, exactly one (RFC 6750 section 2.1).

    Without the header the caller is anonymous. Anything else that is not one good token raises
    Refusal `token_expired` or `not_authenticated`.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Claims] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal("not_authenticated", "One Authorization: Bearer header is expected.")
        # Servers join a repeated header with a comma, which makes it no token.
        claims = verify(token.strip(" "))
        return Caller(claims), claims

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - as in the base class
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """BearerAuthentication as drf-spectacular writes it into the OpenAPI document."""

    target_class = "service_kit.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(
        self,
        auto_schema: object,  # noqa: ARG002 - as in the base class
    ) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
