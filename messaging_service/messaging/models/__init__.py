"""What is kept: tables and the constraints that hold whatever the code does."""

from messaging.models.contacts import Block, Contact
from messaging.models.epoch import Epoch
from messaging.models.erasures import Erasure
from messaging.models.messages import Message
from messaging.models.presence import Presence
from messaging.models.profiles import LastSeenTo, Profile
from messaging.models.rooms import Member, Room
from messaging.models.sessions import AuthFeed, EndedSession

__all__ = [
    "AuthFeed",
    "Block",
    "Contact",
    "EndedSession",
    "Epoch",
    "Erasure",
    "LastSeenTo",
    "Member",
    "Message",
    "Presence",
    "Profile",
    "Room",
]
