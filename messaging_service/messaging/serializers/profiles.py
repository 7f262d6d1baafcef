"""A person as everybody sees him."""

from typing import Any, Protocol


class Named(Protocol):
    """Who can be shown; rows of the ORM and of raw SQL both can."""

    @property
    def user_id(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def avatar(self) -> str | None: ...


def profile_json(person: Named) -> dict[str, Any]:
    """The one shape of a person in answers and events (contract §4)."""
    return {
        "user_id": person.user_id,
        "username": person.username,
        "display_name": person.display_name,
        "avatar": person.avatar,
    }
