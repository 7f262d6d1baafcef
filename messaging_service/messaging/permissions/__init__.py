"""The whole policy, and the only way from an outside id to a row.

contacts.py     what two people are to each other: tie_between(…), are_contacts(…); whether they may
                write to each other directly: refusal_to_write(tie)
membership.py   what somebody may see of a room: member_of(user, room id), Window
large_rooms.py  up to how many members a room tells of what passes
rooms.py        how many rooms he may open: refusal_to_open(number)
limits/         how often somebody may ask: message_limit(), Bucket
messages.py     which he may see: message_of(user, message id); what he may do with messages:
                refusal_to_send(member), refusal_to_change(…)

A stranger and a room that is not there look alike: 404. A member without the right gets 403.
"""

from messaging.permissions.contacts import (
    Tie,
    are_contacts,
    refusal_to_write,
    tie_between,
    tie_in,
)
from messaging.permissions.membership import Window, member_of, window_of
from messaging.permissions.messages import (
    Membership,
    message_of,
    messages_of,
    refusal_to_change,
    refusal_to_send,
)
from messaging.permissions.rooms import refusal_to_open
from messaging.serializers.fields import LARGEST_ID

__all__ = [
    "LARGEST_ID",
    "Membership",
    "Tie",
    "Window",
    "are_contacts",
    "member_of",
    "message_of",
    "messages_of",
    "refusal_to_change",
    "refusal_to_open",
    "refusal_to_send",
    "refusal_to_write",
    "tie_between",
    "tie_in",
    "window_of",
]
