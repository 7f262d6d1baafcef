"""The one path that is compared, at the address it has in messaging_service."""

from django.urls import path

from bench.modelview.views import MessagesView
from service_kit.health import live

urlpatterns = [
    path("api/chat/rooms/<int:room_id>/messages/", MessagesView.as_view()),
    path("health/live", live),
]
