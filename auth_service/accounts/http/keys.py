"""The public keys with which anybody can check our tokens."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http.openapi import KeySetShape
from accounts.http.views import PublicView
from accounts.keys import signing_key


@extend_schema(tags=["keys"])
class KeysView(PublicView):
    @extend_schema(operation_id="jwks", responses={200: KeySetShape})
    def get(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Publish the public half of the signing key (RFC 7517)."""
        public = signing_key().public
        return Response(
            {"keys": [public] if public else []}, headers={"Cache-Control": "public, max-age=300"}
        )
