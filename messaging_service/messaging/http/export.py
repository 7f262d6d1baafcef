"""`me/export/`: all that messaging keeps of the caller."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from messaging.http.authentication import caller_of
from messaging.http.documentation import ExportPageOutput
from messaging.queries.export import export_page


class ExportInput(serializers.Serializer[Any]):
    cursor = serializers.CharField(required=False, help_text="From `next`.")


class ExportView(APIView):
    @extend_schema(
        operation_id="export_me", parameters=[ExportInput], responses={200: ExportPageOutput}
    )
    def get(self, request: Request) -> Response:
        """All that is kept of the caller, part after part; with `next`, ask on from there.

        `POST /api/auth/me/export/` puts it into one file, with what auth_service keeps.
        """
        page = export_page(user_id=caller_of(request).id, cursor=request.query_params.get("cursor"))
        url = request.build_absolute_uri()
        following = page.next and replace_query_param(url, "cursor", page.next)
        return Response(
            {"next": following, "previous": None, "part": page.part, "results": page.rows}
        )
