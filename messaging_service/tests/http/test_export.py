"""All that messaging keeps of somebody, for himself, page by page."""

import json
from typing import Any

import pytest
from django.db import connection

from messaging.actions.blocks import block_person
from messaging.actions.contacts import request_contact
from messaging.actions.members import add_member, remove_member
from messaging.actions.presence.chosen import set_presence
from messaging.actions.profiles import know_person
from messaging.queries import export
from messaging.queries.personal import PERSONAL

PATH = "me/export/"


def collect(api: Any, person: Any) -> dict[str, list[dict[str, Any]]]:
    """Every part, followed to its end."""
    parts: dict[str, list[dict[str, Any]]] = {}
    path = PATH
    while path:
        page = api.show(person, path)
        parts.setdefault(page["part"], []).extend(page["results"])
        path = page["next"]
    return parts


class TestTheExport:
    def test_holds_every_part_of_what_is_personal(self, api: Any, alice: Any, room: int) -> None:
        assert collect(api, alice).keys() == {each.part for each in PERSONAL if each.part}

    def test_holds_what_is_kept_of_somebody(
        self, api: Any, alice: Any, bob: Any, room: int
    ) -> None:
        sent = api.post(
            f"rooms/{room}/messages/", {"content": "one", "client_id": "x-1"}, token=alice.token
        ).json()
        set_presence(user_id=alice.id, status="busy", custom_status="reading")
        request_contact(user_id=alice.id, other=know_person(user_id=bob.id))
        block_person(user_id=alice.id, other=know_person(user_id=bob.id))
        parts = collect(api, alice)
        (profile,) = parts["profile"]
        assert (profile["user_id"], profile["username"]) == (alice.id, alice.username)
        (presence,) = parts["presence"]
        assert (presence["status"], presence["custom_status"]) == ("busy", "reading")
        (mine,) = parts["rooms"]
        assert (mine["room"], mine["last_read_seq"], mine["has_left"]) == (room, 1, False)
        assert set(mine["participants"]) == {alice.id, bob.id}
        assert parts["messages"] == [sent]
        assert sent["client_id"] == "x-1"
        (contact,) = parts["contacts"]
        assert contact["user_id"] == bob.id
        (block,) = parts["blocks"]
        assert block["user_id"] == bob.id

    def test_holds_what_somebody_wrote_where_he_is_no_more(
        self, api: Any, alice: Any, carol: Any, room: int
    ) -> None:
        add_member(room_id=room, user_id=carol.id)
        api.post(f"rooms/{room}/messages/", {"content": "mine"}, token=carol.token)
        api.post(f"rooms/{room}/messages/", {"content": "hers"}, token=alice.token)
        remove_member(room_id=room, user_id=carol.id)
        parts = collect(api, carol)
        assert [message["content"] for message in parts["messages"]] == ["mine"]
        assert [mine["has_left"] for mine in parts["rooms"]] == [True]

    def test_holds_nothing_of_others(self, api: Any, alice: Any, bob: Any, room: int) -> None:
        api.post(f"rooms/{room}/messages/", {"content": "a secret of bob"}, token=bob.token)
        set_presence(user_id=bob.id, custom_status="bob's own")
        block_person(user_id=bob.id, other=know_person(user_id=alice.id))
        parts = collect(api, alice)
        assert "bob" not in json.dumps(parts)
        assert parts["blocks"] == []


class TestPages:
    def test_follow_each_other(self, api: Any, alice: Any, room: int, monkeypatch: Any) -> None:
        monkeypatch.setattr(export, "ROWS_PER_PAGE", 2)
        ids = [f"{number}-_Z" for number in range(5)]
        for client_id in ids:
            body = {"content": client_id, "client_id": client_id}
            api.post(f"rooms/{room}/messages/", body, token=alice.token)
        parts = collect(api, alice)
        assert sorted(message["client_id"] for message in parts["messages"]) == ids

    def test_hold_so_many_bytes_of_messages(
        self, api: Any, alice: Any, room: int, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(export, "BYTES_PER_PAGE", 10)
        for number in range(5):
            body = {"content": "éééé", "client_id": f"{number}"}
            api.post(f"rooms/{room}/messages/", body, token=alice.token)
        page = api.show(alice, f"{PATH}?cursor=messages.")
        assert [message["client_id"] for message in page["results"]] == ["0", "1"]
        found = collect(api, alice)["messages"]
        assert [message["client_id"] for message in found] == ["0", "1", "2", "3", "4"]

    @pytest.mark.parametrize(
        "cursor", ["x", "x.", "rooms.x", "rooms.99999999999999999999", "messages.%00", "rooms.²"]
    )
    def test_begin_nowhere_else(self, api: Any, alice: Any, refusal: Any, cursor: str) -> None:
        refusal(api.get(f"{PATH}?cursor={cursor}", token=alice.token), 400, "invalid")

    def test_are_for_their_owner(self, api: Any, refusal: Any) -> None:
        refusal(api.get(PATH), 401, "not_authenticated")

    def test_of_messages_are_found_by_an_index(self, alice: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {export._MESSAGES}", [alice.id, "", 1000, 1])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "one_send_per_client_id" in plan
        assert "Limit" in plan
