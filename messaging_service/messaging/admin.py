"""What operators may see of people, rooms and messages. They change nothing here."""

from django.contrib import admin
from django.http import HttpRequest

from messaging.models import Member, Message, Profile, Room
from service_kit.admin import ReadOnlyAdmin


class Members(admin.TabularInline):  # type: ignore[type-arg]
    model = Member
    fields = ("user", "role", "joined_at", "last_read_seq")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ("user_id", "username", "display_name", "is_active", "updated_at")
    search_fields = ("user_id", "username__iexact")


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    list_display = ("id", "room_type", "participant_a", "participant_b", "seq", "last_activity")
    search_fields = ("participant_a", "participant_b")
    search_help_text = "The id of one of its people."
    inlines = (Members,)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("id", "room_id", "seq", "sender_id", "timestamp", "edited_at", "deleted_at")
    exclude = ("request_hash",)
    search_fields = ("room_id",)
    search_help_text = "The number of a room."
