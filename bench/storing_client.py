"""The load client of a full room in which another process stores what is said: this one.

Latencies count from when a message is stored: what is measured is what telling it takes, as of a
system that keeps nothing. Run with messaging_service's settings and code; see bench.crowd_client.
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
        """Store the message here, and from there on wait for it to be heard."""
        submit_message(
            sender_id=rooms.in_crowd(0),
            room_id=rooms.CROWD,
            message=new_message(json.loads(text), room_id=rooms.CROWD),
            settle=partial(self._stored, number),
        )

    def _stored(self, number: int, outcome: object) -> None:
        self.due[number] = monotonic()
        if not isinstance(outcome, Sent):
            self.refused.append(str(outcome))


def main() -> None:
    """Run the Load on stdin."""
    result = run(StoringCrowd(Load(**json.load(sys.stdin))))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
