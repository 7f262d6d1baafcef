"""Taking everything along, and leaving for good."""

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.actions.leaving.exporting import export_account
from accounts.http.views import AccountView
from service_kit.authentication import shown_token
from service_kit.openapi import problems

FILE_NAME = "parley-export.zip"


@extend_schema(tags=["account"])
class ExportView(AccountView):
    @extend_schema(
        operation_id="me_export",
        request=None,
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            **problems("rate_limited"),
        },
    )
    def post(self, request: Request) -> FileResponse:
        """Everything both services hold about the caller: a ZIP of JSON files.

        All of it, or a refusal: `unavailable` while messaging_service is away.
        """
        token = shown_token(request)
        assert token is not None
        file = export_account(session=self.session, token=token)
        return FileResponse(
            file, as_attachment=True, filename=FILE_NAME, content_type="application/zip"
        )
