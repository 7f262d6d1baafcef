"""Every path under `/api/chat/`."""

from django.urls import path

from messaging.http.blocks import BlocksView, BlockView
from messaging.http.changes import ChangesView, MyChangesView, RoomChangesView
from messaging.http.contacts import (
    AcceptContactView,
    ContactsView,
    ContactView,
    DeclineContactView,
)
from messaging.http.export import ExportView
from messaging.http.message import MessageView, RoomMessageView
from messaging.http.messages import MessagesView, RoomMessagesView
from messaging.http.presence import MyPresenceView, PersonPresenceView, PresenceView
from messaging.http.profiles import ProfilesView
from messaging.http.reads import ReadsView, ReadView, UnreadView
from messaging.http.rooms import RoomsView, RoomView
from messaging.http.tickets import TicketView

urlpatterns = [
    path("blocks/", BlocksView.as_view()),
    path("blocks/<str:user_id>/", BlockView.as_view()),
    path("changes/", ChangesView.as_view()),
    path("contacts/", ContactsView.as_view()),
    path("contacts/<int:contact_id>/", ContactView.as_view()),
    path("contacts/<int:contact_id>/accept/", AcceptContactView.as_view()),
    path("contacts/<int:contact_id>/decline/", DeclineContactView.as_view()),
    path("me/changes/", MyChangesView.as_view()),
    path("me/export/", ExportView.as_view()),
    path("messages/", MessagesView.as_view()),
    path("messages/<int:message_id>/", MessageView.as_view()),
    path("presence/", PresenceView.as_view()),
    path("presence/me/", MyPresenceView.as_view()),
    path("presence/<str:user_id>/", PersonPresenceView.as_view()),
    path("profiles/", ProfilesView.as_view()),
    path("reads/", ReadsView.as_view()),
    path("reads/<int:marker_id>/", ReadView.as_view()),
    path("rooms/", RoomsView.as_view()),
    path("rooms/<int:room_id>/", RoomView.as_view()),
    path("rooms/<int:room_id>/changes/", RoomChangesView.as_view()),
    path("rooms/<int:room_id>/messages/", RoomMessagesView.as_view()),
    path("rooms/<int:room_id>/messages/<int:message_id>/", RoomMessageView.as_view()),
    path("unread/", UnreadView.as_view()),
    path("ws-ticket/", TicketView.as_view()),
]
