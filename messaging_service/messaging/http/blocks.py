"""`blocks/`: whom one wants to hear nothing of."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.blocks import block_person, lift_block
from messaging.http.authentication import caller_of
from messaging.http.documentation import PageOutput
from messaging.http.pagination import ById
from messaging.http.people import person_named_in
from messaging.queries.contacts import blocks_of
from messaging.serializers.contacts import PersonInput, block_json
from messaging.serializers.fields import UserIdField, is_user_id
from service_kit.openapi import problems


class BlockOutput(serializers.Serializer[Any]):
    user_id = serializers.CharField(help_text="Who is blocked.")
    username = serializers.CharField()
    created_at = serializers.DateTimeField()
    is_lifted = serializers.BooleanField(help_text="True only where one is told of it.")


class BlockPageOutput(PageOutput):
    results = BlockOutput(many=True)


class BlockedInput(serializers.Serializer[Any]):
    """Whose block to take back."""

    user_id = UserIdField()


_blocked_input: Final = BlockedInput()


class BlocksView(GenericAPIView[Any]):
    pagination_class = ById
    serializer_class = BlockOutput

    @extend_schema(
        operation_id="list_blocks",
        parameters=[
            OpenApiParameter("cursor", str, description="From `next` or `previous`."),
            OpenApiParameter("page_size", int, description="1 to 100; 50 without it."),
        ],
        responses={200: BlockPageOutput},
    )
    def get(self, request: Request) -> Response:
        """Whom one blocks; by whom one is blocked nobody is told."""
        page = self.paginate_queryset(blocks_of(user_id=caller_of(request).id)) or []
        return self.get_paginated_response([block_json(block) for block in page])

    @extend_schema(
        operation_id="block_person",
        request=PersonInput,
        responses={200: BlockOutput, 201: BlockOutput, **problems("not_found")},
    )
    def post(self, request: Request) -> Response:
        """Block somebody; who was a contact is none any more. 200 where it was so already."""
        other = person_named_in(request)
        block, created = block_person(user_id=caller_of(request).id, other=other)
        return Response(block_json(block), status=201 if created else 200)

    @extend_schema(
        operation_id="lift_block_of",
        request=BlockedInput,
        responses={204: None, **problems("rate_limited")},
    )
    def delete(self, request: Request) -> Response:
        """As `blocks/{user_id}/`, with the person in the body."""
        asked = _blocked_input.run_validation(request.data)
        lift_block(user_id=caller_of(request).id, blocked_id=asked["user_id"])
        return Response(status=204)


class BlockView(APIView):
    @extend_schema(
        operation_id="lift_block", request=None, responses={204: None, **problems("rate_limited")}
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """Take the block of this person back; 204 too where there is none."""
        if is_user_id(user_id):
            lift_block(user_id=caller_of(request).id, blocked_id=user_id)
        return Response(status=204)
