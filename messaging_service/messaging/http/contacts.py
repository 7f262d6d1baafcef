"""`contacts/`: who one's contacts are, asking somebody, answering, ending it."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.contacts import (
    accept_contact,
    decline_contact,
    end_contact,
    request_contact,
)
from messaging.http.authentication import caller_of
from messaging.http.documentation import PageOutput
from messaging.http.pagination import ById
from messaging.http.people import person_named_in
from messaging.queries.contacts import CURRENT, contacts_of
from messaging.serializers.contacts import DIRECTIONS, PersonInput, contact_json
from service_kit.openapi import problems

STATES: Final = [state.value for state in CURRENT]


class ContactOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    user_id = serializers.CharField(help_text="The other person.")
    username = serializers.CharField()
    direction = serializers.ChoiceField(DIRECTIONS, help_text="Who asked whom.")
    state = serializers.CharField(
        help_text="`pending` or `accepted`; only where one is told also `declined` or `removed`."
    )
    created_at = serializers.DateTimeField(help_text="When it was asked last.")


class ContactPageOutput(PageOutput):
    results = ContactOutput(many=True)


class ContactsInput(serializers.Serializer[Any]):
    """Which contacts: all that are not over, or those in a state or a direction."""

    state = serializers.ChoiceField(STATES, required=False)
    direction = serializers.ChoiceField(DIRECTIONS, required=False)


class EndInput(serializers.Serializer[Any]):
    """Only what is in this state is ended, or whatever it is."""

    state = serializers.ChoiceField(STATES, required=False)


_contacts_input: Final = ContactsInput()
_end_input: Final = EndInput()


class ContactsView(GenericAPIView[Any]):
    pagination_class = ById
    serializer_class = ContactOutput

    @extend_schema(
        operation_id="list_contacts",
        parameters=[
            ContactsInput,
            OpenApiParameter("cursor", str, description="From `next` or `previous`."),
            OpenApiParameter("page_size", int, description="1 to 100; 50 without it."),
        ],
        responses={200: ContactPageOutput},
    )
    def get(self, request: Request) -> Response:
        """One's contacts, and the requests one made or was asked."""
        asked = _contacts_input.run_validation(request.query_params)
        user_id = caller_of(request).id
        page = self.paginate_queryset(contacts_of(user_id=user_id, **asked)) or []
        shown = [contact_json(contact, user_id=user_id) for contact in page]
        return self.get_paginated_response(shown)

    @extend_schema(
        operation_id="request_contact",
        request=PersonInput,
        responses={
            200: ContactOutput,
            201: ContactOutput,
            **problems("blocked", "not_found", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask somebody, or accept where he has asked; 200 where nothing new was asked."""
        other = person_named_in(request)
        user_id = caller_of(request).id
        contact, created = request_contact(user_id=user_id, other=other)
        shown = contact_json(contact, user_id=user_id)
        return Response(shown, status=201 if created else 200)


class ContactView(APIView):
    @extend_schema(
        operation_id="end_contact",
        parameters=[EndInput],
        request=None,
        responses={204: None, **problems("conflict")},
    )
    def delete(self, request: Request, contact_id: int) -> Response:
        """Withdraw a request, or remove a contact, for both; 204 too where it was over already."""
        asked = _end_input.run_validation(request.query_params)
        end_contact(user_id=caller_of(request).id, contact_id=contact_id, **asked)
        return Response(status=204)


class AcceptContactView(APIView):
    @extend_schema(
        operation_id="accept_contact",
        request=None,
        responses={200: ContactOutput, **problems("conflict")},
    )
    def post(self, request: Request, contact_id: int) -> Response:
        """Become the contact of who asked."""
        user_id = caller_of(request).id
        contact = accept_contact(user_id=user_id, contact_id=contact_id)
        return Response(contact_json(contact, user_id=user_id))


class DeclineContactView(APIView):
    @extend_schema(
        operation_id="decline_contact",
        request=None,
        responses={200: ContactOutput, **problems("conflict")},
    )
    def post(self, request: Request, contact_id: int) -> Response:
        """Refuse who asked; he is told, and may ask again."""
        user_id = caller_of(request).id
        contact = decline_contact(user_id=user_id, contact_id=contact_id)
        return Response(contact_json(contact, user_id=user_id))
