"""Which rooms there are in messaging_service's database, and whose they are."""

PAIRS = 101

CROWD = 102
CROWD_SIZE = 1_000

MISSED = 103
MISSED_CHANGES = 1_000
READER, WRITER = "reader", "writer"

MANY_PEOPLE = 10
MANY_ROOMS = 1_000


def in_crowd(n: int) -> str:
    """Return the crowd's member `n`, from 0."""
    return f"crowd-{n}"


def in_many(n: int) -> str:
    """Return person `n`, from 0, of those with a thousand rooms."""
    return f"many-{n}"


def of_many(n: int) -> range:
    """Return the rooms of that person."""
    first = (n + 1) * MANY_ROOMS
    return range(first, first + MANY_ROOMS)
