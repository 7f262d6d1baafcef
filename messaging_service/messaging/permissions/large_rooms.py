"""Up to how many members a room tells of what passes (contract §5, large rooms)."""

from typing import Final

READS_UP_TO: Final = 100
TYPING_UP_TO: Final = 500
PRESENCE_UP_TO: Final = 500
