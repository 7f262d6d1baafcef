"""A ModelSerializer with a nested one, and a membership check through the ORM."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from rest_framework.request import Request  # noqa: TC002 - as in every view
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView

from bench.modelview.models import Member, Message, Profile

PAGE = 50


class SenderSerializer(ModelSerializer[Profile]):
    class Meta:
        model = Profile
        fields = ["user_id", "username", "display_name", "avatar"]


class MessageSerializer(ModelSerializer[Message]):
    sender = SenderSerializer()

    class Meta:
        model = Message
        fields = [
            *("id", "room_id", "seq", "pos", "created_pos", "sender", "content", "message_type"),
            *("timestamp", "client_id", "edited_at", "deleted_at"),
        ]


class MessagesView(APIView):
    def get(self, request: Request, room_id: int) -> Response:
        """The newest messages, oldest first: two queries in all."""
        member = get_object_or_404(
            Member.objects, room_id=room_id, user_id=request.user.pk, left_pos=None
        )
        messages = (
            Message.objects.filter(room_id=room_id, seq__gte=member.visible_from_seq)
            .select_related("sender")
            .order_by("-seq")[:PAGE]
        )
        serializer = MessageSerializer(list(messages)[::-1], many=True)
        return Response({"results": serializer.data})
