"""Every path under `/api/chat/`."""

from django.urls import path

from messaging.http.messages import RoomMessagesView
from messaging.http.rooms import RoomsView, RoomView
from messaging.http.tickets import TicketView

urlpatterns = [
    path("rooms/", RoomsView.as_view()),
    path("rooms/<int:room_id>/", RoomView.as_view()),
    path("rooms/<int:room_id>/messages/", RoomMessagesView.as_view()),
    path("ws-ticket/", TicketView.as_view()),
]
