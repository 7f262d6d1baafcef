"""How Django finds the accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # DRF loads its default classes while `views` is imported, so that must come first.
        import rest_framework.views  # noqa: F401

        from accounts.keys import trust_own_key

        trust_own_key()
