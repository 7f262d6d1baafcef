"""`ws-ticket/`: a ticket instead of a token in a socket's address."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging.actions.tickets import TICKET_SECONDS, buy_ticket
from messaging.http.authentication import caller_of
from messaging.http.documentation import TicketOutput


class TicketView(APIView):
    @extend_schema(operation_id="buy_ticket", request=None, responses={200: TicketOutput})
    def post(self, request: Request) -> Response:
        """A single-use ticket for `/ws/…?ticket=`, good for 30 seconds."""
        ticket = buy_ticket(claims=caller_of(request).claims)
        return Response({"ticket": ticket, "expires_in": TICKET_SECONDS})
