"""What is kept of people, table by table: where each is shown in an export, and what erasing does.

A new table that names somebody gets a line here, or a test fails. `people` are the columns that
name somebody; `part` is that of an export (queries/export.py), "" where nothing of it is shown.
`deleted` rows go with whoever one of these columns names; `kept` says why others stay.
"""

from typing import Final, NamedTuple

from django.db.models import Model, Q

from messaging.models import (
    Block,
    Contact,
    EndedSession,
    Erasure,
    Member,
    Message,
    Presence,
    Profile,
    Room,
)


class Personal(NamedTuple):
    model: type[Model]
    people: tuple[str, ...]
    part: str
    kept: str = ""

    def of(self, user_id: str) -> Q:
        """Its rows that name somebody."""
        named = Q(pk__in=())
        for column in self.people:
            named |= Q((column, user_id))
        return named


PERSONAL: Final = (
    Personal(Profile, ("user_id",), "profile", kept="His messages need a sender: without a name."),
    Personal(Member, ("user",), "rooms", kept="A room has been his: without when he read it."),
    Personal(Room, ("created_by", "participant_a", "participant_b"), "rooms", kept="The others'."),
    Personal(Message, ("sender",), "messages", kept="The others have read and answered them."),
    Personal(Presence, ("user",), "presence"),
    Personal(Contact, ("requester", "addressee"), "contacts", kept="As over: the other is told."),
    Personal(Block, ("blocker",), "blocks"),
    Personal(Block, ("blocked",), "", kept="It is the other's, and shows a deleted user."),
    Personal(EndedSession, ("user_id",), "", kept="Until no token of his can be valid any more."),
    Personal(Erasure, ("user_id",), "", kept="It says that he is no more, also after a restore."),
)
