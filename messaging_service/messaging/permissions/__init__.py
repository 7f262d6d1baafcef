"""The whole policy, and the only way from an outside id to a row.

membership.py   what somebody may see of a room: member_of(user, room id), Window
limits.py       how often somebody may ask: message_limit(), Bucket
messages.py     what a member may do with messages: refusal_to_send(member), refusal_to_change(…)

A stranger and a room that is not there look alike: 404. A member without the right gets 403.
"""

from messaging.permissions.membership import LARGEST_ID, Window, member_of
from messaging.permissions.messages import Membership, refusal_to_change, refusal_to_send

__all__ = [
    "LARGEST_ID",
    "Membership",
    "Window",
    "member_of",
    "refusal_to_change",
    "refusal_to_send",
]
