"""How operators sign in, and what they may see of people, rooms and messages.

They change nothing here.
"""

from hashlib import sha256
from typing import Any

from django.contrib import admin
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from messaging.errors import RateLimited
from messaging.models import Member, Message, Profile, Room
from messaging.permissions.limits import operator_name_limit, operator_place_limit
from service_kit.addresses import caller_address, network_of
from service_kit.admin import ReadOnlyAdmin
from service_kit.security import tell_security


class OperatorBackend(ModelBackend):
    """Lets operators in by their password; of who tries too often none is looked at."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401 - Django's signature
    ) -> User | None:
        try:
            _count_try(username or "")
        except RateLimited as refusal:
            tell_security("request.limited", reason=refusal.code)
            return None
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if not isinstance(user, User):
            tell_security("login.failed", reason="operator")
            return None
        tell_security("operator.signed_in", user_id=user.pk)
        return user


def _count_try(name: str) -> None:
    place = network_of(caller_address.get())
    operator_place_limit().take(place)
    operator_name_limit().take(sha256(f"{place} {name}".encode()).hexdigest())


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
