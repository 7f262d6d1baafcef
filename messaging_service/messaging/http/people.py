"""Somebody whom a request names by his id or his name, as the caller may find him."""

from typing import TYPE_CHECKING

from rest_framework.request import Request

from messaging.actions.profiles import find_person, find_person_named
from messaging.http.authentication import caller_of
from messaging.serializers.contacts import person_input

if TYPE_CHECKING:
    from messaging.models import Profile


def person_named_in(request: Request) -> "Profile":
    """Raises NotFound, or Unavailable if nobody can tell."""
    asked, caller_id = person_input.run_validation(request.data), caller_of(request).id
    if "username" in asked:
        return find_person_named(username=asked["username"], by=caller_id)
    return find_person(user_id=asked["user_id"], by=caller_id)
