"""Another process of the service: sends what it is told, and prints each outcome.

Reads one JSON list of [room_id, sender_id, content, client_id], prints "ready", waits for a line,
submits everything at once, and prints one list of [code, seq, duplicate].
"""

import json
import sys
from concurrent.futures import Future

import django

django.setup()

from messaging.actions.messages import submit_message  # noqa: E402 - Django must be set up first.
from messaging.serializers.messages import new_message  # noqa: E402 - as above.
from service_kit.refusals import Refusal  # noqa: E402 - as above.


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    print("ready", flush=True)  # noqa: T201 - it is how the test is told.
    sys.stdin.readline()
    answers = []
    for room_id, sender_id, content, client_id in wanted:
        message = new_message({"content": content, "client_id": client_id}, room_id=room_id)
        answer: Future = Future()
        submit_message(
            sender_id=sender_id, room_id=room_id, message=message, settle=answer.set_result
        )
        answers.append(answer)
    print(json.dumps([_shown(answer.result(20)) for answer in answers]), flush=True)  # noqa: T201 - as above.


def _shown(outcome) -> list:
    if isinstance(outcome, Refusal):
        return [outcome.code, 0, False]
    return ["sent", outcome.row.seq, outcome.duplicate]


main()
