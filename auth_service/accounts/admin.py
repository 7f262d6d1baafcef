"""What operators see and do: people, their sessions, the security events of both."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.backends import BaseBackend
from django.db.models import QuerySet
from django.forms import CharField, TextInput
from django.http import HttpRequest

from accounts.actions.audit import record
from accounts.actions.closing import deactivate, reactivate
from accounts.actions.mfa.codes import with_code
from accounts.actions.mfa.enrolling import reset_mfa
from accounts.actions.proving import prove_password
from accounts.models import SecurityEvent, Session, User
from accounts.serializers import CODE_LENGTH
from service_kit.addresses import caller_address
from service_kit.admin import ReadOnlyAdmin
from service_kit.refusals import Refusal


class OperatorBackend(BaseBackend):
    """Lets staff in as everybody is: by password and second factor, counted and recorded."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        **credentials: Any,  # noqa: ANN401 - as above
    ) -> User | None:
        name, password, address = (
            credentials["username"],
            credentials["password"],
            caller_address.get(),
        )
        try:
            user = prove_password(name=name, password=password, address=address)
            if not user.is_staff:
                record("access.denied", user_id=user.pk, reason="no operator")
                return None
            if user.mfa_enabled_at:
                code = credentials["code"]
                with_code(user=user, code=code, address=address, act=lambda _: None)
        except Refusal:
            return None
        record("operator.signed_in", user_id=user.pk)
        return user

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()


class OperatorForm(AdminAuthenticationForm):
    """Asks everybody for a code, so that nobody learns from it who needs one."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "This is not the name and password of an operator, or the code is missing"
        " or wrong.",
    }
    code = CharField(
        label="Code, with a second factor:",
        required=False,
        max_length=CODE_LENGTH,
        widget=TextInput({"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            self.user_cache = authenticate(self.request, **self.cleaned_data)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


admin.site.login_form = OperatorForm
admin.site.login_template = "accounts/operator_login.html"


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "username",
        "email",
        "display_name",
        "is_active",
        "is_staff",
        "mfa_enabled_at",
    )
    list_filter = ("is_active", "is_staff")
    exclude = ("password",)
    search_fields = ("id", "username__iexact", "email__iexact")
    search_help_text = "An id, a username or an e-mail address."
    actions = ("deactivate_accounts", "reactivate_accounts", "reset_second_factors")

    @admin.action(description="Deactivate: end every session, let nobody in")
    def deactivate_accounts(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        _for_each(deactivate, request, chosen)

    @admin.action(description="Reactivate: let them log in again")
    def reactivate_accounts(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        _for_each(reactivate, request, chosen)

    @admin.action(description="Switch the second factor off: for who lost it; ends every session")
    def reset_second_factors(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        _for_each(reset_mfa, request, chosen)


def _for_each(act: Callable[..., None], request: HttpRequest, chosen: QuerySet[User]) -> None:
    for user in chosen:
        act(user_id=user.pk, reason=f"by operator {request.user.pk}")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("id", "user_id", "device", "address", "created_at", "last_used_at", "ended_at")
    fields = ("user", "device", "address", "created_at", "last_used_at", "ended_at")
    ordering = ("-created_at",)
    search_fields = ("id", "user_id", "address")
    search_help_text = "The id of a session or a user, or an address."


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "event", "user_id", "session_id", "address", "reason", "request_id")
    list_filter = ("at", "event")
    search_fields = ("user_id", "session_id", "address", "request_id")
    search_help_text = "The id of a user, a session or a request, or an address."
