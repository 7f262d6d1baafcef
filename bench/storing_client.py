"""The load client of a full room that stores each message itself, as another process would.

What storing takes does not count: what is measured is what telling takes, as of a system that keeps
nothing. Run with messaging_service's settings and code; see bench.crowd_client.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from importlib import import_module
from time import monotonic

import django

from bench import rooms
from bench.crowd_client import Crowd, Load, run

django.setup()

# By name: whoever reads the types of this file need not have messaging_service on the path.
submit_message = import_module("messaging.actions.messages").submit_message
new_message = import_module("messaging.serializers.messages").new_message
Sent = import_module("messaging.actions.writer").Sent


class StoringCrowd(Crowd):
    """All sockets listen; the first one's owner sends by other means."""

    def say(self, number: int, text: bytes) -> None:
        """Store the message here, which its hub then hears of through Redis."""
        submit_message(
            sender_id=rooms.in_crowd(0),
            room_id=rooms.CROWD,
            message=new_message(json.loads(text), room_id=rooms.CROWD),
            settle=partial(self._stored, number, monotonic()),
        )

    def _stored(self, number: int, submitted: float, outcome: object) -> None:
        """Count as late what was late before, but not the storing."""
        self.due[number] += monotonic() - submitted
        if not isinstance(outcome, Sent):
            self.refused.append(str(outcome))


def main() -> None:
    """Run the Load on stdin."""
    result = run(StoringCrowd(Load(**json.load(sys.stdin))))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
