"""The public keys with which anybody can check our tokens."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http.openapi import KeySetShape
from accounts.http.views import PublicView
from accounts.keys.current import published_keys


@extend_schema(tags=["keys"])
class KeysView(PublicView):
    @extend_schema(operation_id="jwks", responses={200: KeySetShape})
    def get(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Publish the keys tokens are signed with, were lately, and will be next (RFC 7517)."""
        headers = {"Cache-Control": "public, max-age=300"}
        return Response({"keys": published_keys()}, headers=headers)
