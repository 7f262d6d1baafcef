"""The tutorial's consumer: one ORM transaction per message, then the group is told."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import transaction

from bench.tutorial.models import Message, Room


class ChatConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Acknowledges after COMMIT. It asks nobody whether the sender may."""

    async def connect(self) -> None:
        self.room_id = int(self.scope["url_route"]["kwargs"]["room_id"])
        self.group = f"room_{self.room_id}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send_json({"type": "ready"})

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 - Channels' form
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **_: object) -> None:
        message = await save_message(self.room_id, content)
        await self.send_json({"type": "ack", "ref": content["ref"], "message": message})
        await self.channel_layer.group_send(self.group, {"type": "chat.message", **message})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event | {"type": "message"})


@database_sync_to_async  # type: ignore[untyped-decorator]
def save_message(room_id: int, content: dict[str, Any]) -> dict[str, Any]:
    """Store a message under the room's lock and return it as JSON."""
    with transaction.atomic():
        room = Room.objects.select_for_update().get(pk=room_id)
        room.seq += 1
        room.save(update_fields=["seq"])
        message = Message.objects.create(
            room=room,
            seq=room.seq,
            sender="somebody",
            client_id=content["client_id"],
            content=content["content"],
        )
    return {
        "id": message.pk,
        "room": room_id,
        "seq": message.seq,
        "sender": message.sender,
        "content": message.content,
        "client_id": message.client_id,
        "timestamp": message.timestamp.isoformat(),
    }
