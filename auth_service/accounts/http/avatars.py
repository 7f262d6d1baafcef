"""The picture of oneself, and everybody's, for everybody."""

import re
from typing import Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.avatars import avatar_file, change_avatar, remove_avatar
from accounts.errors import BadPicture, NoSuchPicture, PictureTooLarge
from accounts.http.openapi import UserShape
from accounts.http.views import AccountView, PublicView
from accounts.serializers import user_json
from service_kit.openapi import problems

# What a form adds to its file: boundaries, and the names of both.
FORM_BYTES: Final = 64 * 1024
NAME: Final = re.compile(r"[0-9]{1,19}/[0-9a-f]{32}\.webp", re.ASCII)

# The name says what it holds, so it is for ever; and whatever it holds, it is a picture.
HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Disposition": 'inline; filename="avatar.webp"',
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


FORM: Final = {
    "type": "object",
    "properties": {
        "avatar": {
            "type": "string",
            "format": "binary",
            "description": "A JPEG, PNG or WebP that does not move: at most 10 MB and 25 Mpx.",
        }
    },
    "required": ["avatar"],
}


@extend_schema(tags=["account"])
class AvatarView(AccountView):
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="me_avatar_change",
        request={"multipart/form-data": FORM},
        responses={
            200: UserShape,
            **problems("rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Show another picture: its middle, drawn anew, without what it said of itself."""
        upload = _uploaded(request)
        return Response(user_json(change_avatar(session=self.session, upload=upload)))

    @extend_schema(
        operation_id="me_avatar_remove",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:  # noqa: ARG002 - Django's signature
        """Show no picture."""
        remove_avatar(session=self.session)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _uploaded(request: Request) -> bytes:
    most = settings.LIMITS["UPLOAD_BYTES"]
    # Before any of it is read.
    if int(request.META.get("CONTENT_LENGTH") or 0) > most + FORM_BYTES:
        raise PictureTooLarge(f"At most {most} bytes are accepted.")
    file = request.FILES.get("avatar")
    if not isinstance(file, UploadedFile) or not file.size:
        raise BadPicture("required", "Send a form with the file in its field avatar.")
    if file.size > most:
        raise PictureTooLarge(f"At most {most} bytes are accepted.")
    content: bytes = file.read()
    return content


@extend_schema(tags=["users"])
class AvatarFileView(PublicView):
    @extend_schema(
        operation_id="avatar",
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, user_id: str, name: str) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """A picture, for whoever knows its name; what it shows never changes."""
        file_name = f"{user_id}/{name}"
        if not NAME.fullmatch(file_name):
            raise NoSuchPicture
        return HttpResponse(avatar_file(file_name), content_type="image/webp", headers=HEADERS)
