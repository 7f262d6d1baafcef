"""How many rooms somebody may open."""

from django.conf import settings

from messaging.errors import TooManyRooms
from service_kit.refusals import Refusal


def refusal_to_open(opened: int) -> Refusal | None:
    """Why somebody who has opened so many rooms may not open one more, or None.

    What others opened with him does not count, or they could leave him none.
    """
    most: int = settings.LIMITS["ROOMS_PER_USER"]
    return TooManyRooms(most) if opened >= most else None
