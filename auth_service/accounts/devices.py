"""Where a session is used from, as far as can be told."""

from dataclasses import dataclass

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Device:
    """`name` is what the client calls itself, `address` where it asks from; either may be ""."""

    name: str = ""
    address: str = ""
