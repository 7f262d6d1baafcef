"""What can be refused, and with which code of the contract.

Refusal                      (service_kit: code, detail, field errors)
├── Invalid                  the request itself is wrong
├── NotAllowed               you may see it, but not do this
├── Blocked                  one of the two wants to hear nothing of the other
├── ContactsOnly             only contacts may write to each other here
├── NotFound                 not there, or not yours: nobody can tell which
├── Conflict                 not in the state it is in
├── TooManyRooms             conflict: one has opened as many as one may
├── ClientIdReused           the same client_id with other content
├── RateLimited              too many in too short a time
├── Unavailable              certainly not done, try again
└── OutcomeUnknown           perhaps done: repeat it with the same client_id
"""

from math import ceil

from service_kit.refusals import FieldError, Refusal


class Invalid(Refusal):
    def __init__(self, detail: str, *, field: str = "") -> None:
        errors = [FieldError(field=field, code="invalid", detail=detail)] if field else []
        super().__init__("invalid", detail, errors=errors)


class NotAllowed(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__("forbidden", detail)


class Blocked(Refusal):
    def __init__(self) -> None:
        super().__init__("blocked", "You cannot reach this person, nor this person you.")


class ContactsOnly(Refusal):
    def __init__(self) -> None:
        super().__init__("contacts_only", "Only contacts may write to each other here.")


class NotFound(Refusal):
    def __init__(self, noun: str) -> None:
        super().__init__("not_found", f"There is no such {noun}.")


class Conflict(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__("conflict", detail)


class TooManyRooms(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__("conflict", f"You have opened {most} rooms, and may open no more.")


class ClientIdReused(Refusal):
    def __init__(self) -> None:
        super().__init__("client_id_reused", "This client_id was used for another message.")


class RateLimited(Refusal):
    def __init__(self, retry_after: float) -> None:
        super().__init__("rate_limited", "Too fast.", retry_after=max(1, ceil(retry_after)))


class Unavailable(Refusal):
    def __init__(self, detail: str = "Not done. Please try again.") -> None:
        super().__init__("unavailable", detail)


class OutcomeUnknown(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "outcome_unknown", "It may have been done. Repeat it, a message with its client_id."
        )
