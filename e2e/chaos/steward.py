"""Lets people into rooms and out again, as whoever may will: there is no public way to ask yet.

Run in messaging_service's folder with its settings. Each line read is `join` or `leave`, a room and
a user; each line written is what became of it, as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django


def main() -> None:
    """Answer until there is nothing more to read."""
    django.setup()
    # By name: whoever reads the types of this file need not have messaging_service on the path.
    members, models = import_module("messaging.actions.members"), import_module("messaging.models")
    refusal = import_module("service_kit.refusals").Refusal
    acts = {"join": members.add_member, "leave": members.remove_member}
    for line in sys.stdin:
        act, room, user = line.split()
        try:
            acts[act](room_id=int(room), user_id=user)
            row = models.Member.objects.get(room_id=int(room), user_id=user)
            told = {"kind": "ok", "pos": row.joined_pos, "seq": row.visible_from_seq}
            if act == "leave":
                told = {"kind": "ok", "pos": row.left_pos}
        except refusal as error:
            told = {"kind": "fail" if error.code != "outcome_unknown" else "info"}
            told["error"] = error.code
        except Exception as error:  # noqa: BLE001 - nobody knows then.
            told = {"kind": "info", "error": type(error).__name__}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
