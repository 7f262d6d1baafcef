"""`presence/`: who may see whom, and how one says how one is."""

import json

import pytest

from messaging.actions.presence.told import came
from messaging.models import Member, Presence
from messaging_service.tests.state import state_of

FIELDS = {
    "user_id",
    "username",
    "status",
    "last_seen",
    "custom_status",
    "status_emoji",
    "status_expires_at",
    "away_since",
    "total_online_time",
}

REFUSED = [
    {"status": "asleep"},
    {"status": None},
    {"status": ["online"]},
    {"custom_status": "x" * 141},
    {"custom_status": 7},
    {"custom_status": "  "},
    {"status_emoji": "🌴" * 17},
    {"status_emoji": {}},
    {"status_expires_at": "2020-01-01T00:00:00Z"},
    {"status_expires_at": "tomorrow"},
    {"status_expires_at": 5},
    {"status_expires_at": "9999-12-31T23:59:59-23:00"},
    {"status": "away", "custom_status": "x" * 141},
]


class SayingOverHttp:
    def __init__(self, api, enter):
        self.api = api

    def say(self, person, room, body):
        """The code it was refused with, or None."""
        answer = self.api.post("presence/me/", body, token=person.token)
        return None if answer.status_code == 200 else answer.json()["code"]


class SayingOverASocket:
    def __init__(self, api, enter):
        self.enter, self.sockets = enter, {}

    def say(self, person, room, body):
        socket = self.sockets.setdefault(person.id, self.enter(person, room))
        told = socket.ask({"type": "presence", **body})
        assert told["type"] in {"ack", "error"}
        return told.get("code")


@pytest.fixture(params=[SayingOverHttp, SayingOverASocket])
def saying(request, api, enter):
    return request.param(api, enter)


def mine(api, person):
    return api.get("presence/me/", token=person.token).json()


def said_by(person):
    said = Presence.objects.values().get(pk=person.id)
    del said["online_since"]
    return said


class TestSayingHowOneIs:
    def test_is_kept_and_told_through_both_doors(self, saying, api, enter, alice, bob, room):
        hearing = enter(bob, room)
        came([alice.id])
        body = {"status": "away", "custom_status": "x" * 140, "status_emoji": "🌴" * 16}
        body["status_expires_at"] = "2999-01-01T00:00:00Z"
        assert saying.say(alice, room, body) is None
        told = None
        while told is None or (told["user_id"], told["status"]) != (alice.id, "away"):
            told = hearing.expect("presence")
        shown = mine(api, alice)
        assert told.keys() == FIELDS | {"type"}
        passing = {"total_online_time": shown["total_online_time"]}
        assert told | passing == {"type": "presence", **shown}
        assert shown["status_expires_at"] == "2999-01-01T00:00:00.000000Z"
        assert {key: shown[key] for key in body} == body | {
            "status_expires_at": shown["status_expires_at"]
        }

    def test_with_nothing_or_null_takes_back(self, saying, api, alice, room):
        assert saying.say(alice, room, {"custom_status": "x", "status_emoji": "🌴"}) is None
        assert saying.say(alice, room, {"custom_status": "", "status_emoji": None}) is None
        shown = mine(api, alice)
        assert (shown["custom_status"], shown["status_emoji"]) == (None, None)

    @pytest.mark.parametrize("body", REFUSED, ids=lambda body: json.dumps(body)[:40])
    def test_wrongly_changes_nothing(self, saying, api, alice, room, body):
        assert saying.say(alice, room, {"status": "busy", "custom_status": "old"}) is None
        before = said_by(alice), state_of(room)
        assert saying.say(alice, room, body) == "invalid"
        assert (said_by(alice), state_of(room)) == before

    def test_is_one_thing_at_all_its_names(self, api, alice):
        for method, path in (("POST", "presence/"), ("POST", "presence/me/")):
            answer = api.send(method, path, {"status": "busy"}, token=alice.token)
            assert answer.json() == mine(api, alice)
            answer = api.send("PATCH", "presence/me/", {"status": "away"}, token=alice.token)
            assert answer.json() == mine(api, alice)
            assert mine(api, alice)["status"] == "away"


class TestLookingAtOneself:
    def test_shows_what_one_chose(self, api, alice):
        assert mine(api, alice).keys() == FIELDS
        api.post("presence/", {"status": "invisible"}, token=alice.token)
        assert mine(api, alice)["status"] == "invisible"
        by_id = api.get(f"presence/{alice.id}/", token=alice.token).json()
        assert by_id == mine(api, alice)


class TestLookingAtOthers:
    def test_shows_who_shares_a_room(self, api, alice, bob, room):
        came([bob.id])
        shown = api.get(f"presence/{bob.id}/", token=alice.token).json()
        assert shown.keys() == FIELDS
        assert (shown["username"], shown["status"]) == (bob.username, "online")

    def test_shows_no_invisible_one(self, api, alice, bob, room):
        came([bob.id])
        api.post("presence/", {"status": "invisible"}, token=bob.token)
        assert api.get(f"presence/{bob.id}/", token=alice.token).json()["status"] == "offline"
        [listed] = api.get("presence/", token=alice.token).json()["results"]
        assert listed["status"] == "offline"

    @pytest.mark.parametrize("who", ["stranger", "unknown", "no-id!", "a" * 65])
    def test_hides_strangers_as_if_they_were_not_there(self, api, refusal, alice, carol, room, who):
        user_id = carol.id if who == "stranger" else who
        told = refusal(api.get(f"presence/{user_id}/", token=alice.token), 404, "not_found")
        assert told["detail"] == "There is no such person."

    def test_ends_with_the_membership(self, api, refusal, alice, bob, room):
        Member.objects.filter(room_id=room, user_id=bob.id).update(left_pos=1)
        for viewer, person in ((alice, bob), (bob, alice)):
            refusal(api.get(f"presence/{person.id}/", token=viewer.token), 404, "not_found")
            assert api.get("presence/", token=viewer.token).json()["results"] == []
            asked = api.get(f"presence/?user_ids={person.id}", token=viewer.token)
            assert asked.json()["results"] == []

    def test_asked_for_by_ids_leaves_strangers_out(self, api, alice, bob, carol, room):
        path = f"presence/?user_ids={carol.id},{bob.id},{alice.id},nobody"
        found = api.get(path, token=alice.token).json()
        assert {each["user_id"] for each in found["results"]} == {alice.id, bob.id}

    def test_may_be_asked_for_a_hundred(self, api, refusal, alice, room):
        path = "presence/?user_ids=" + ",".join(map(str, range(100)))
        assert api.get(path, token=alice.token).status_code == 200
        refusal(api.get(path + ",100", token=alice.token), 400, "invalid")

    @pytest.mark.parametrize("ids", ["a!", "1,%00", "1,2 3"])
    def test_asked_for_wrongly_is_refused(self, api, refusal, alice, ids):
        told = refusal(api.get(f"presence/?user_ids={ids}", token=alice.token), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["user_ids"]

    def test_needs_a_credential(self, api, refusal):
        for path in ("presence/", "presence/me/", "presence/1/"):
            refusal(api.get(path), 401, "not_authenticated")


class TestTheList:
    def test_is_everybody_once_in_pages(self, api, make_person, open_room, alice):
        people = [make_person() for _ in range(7)]
        for person in people:
            open_room(alice, person)
        found, pages, path = [], 0, "presence/?page_size=3"
        while path:
            page = api.get(path, token=alice.token).json()
            found += [each["user_id"] for each in page["results"]]
            pages, path = pages + 1, page["next"]
        assert found == sorted(person.id for person in people)
        assert pages == 3
        back = api.get(page["previous"], token=alice.token).json()
        assert [each["user_id"] for each in back["results"]] == found[3:6]

    def test_has_full_pages_without_those_who_left(self, api, open_room, alice, bob, carol):
        Member.objects.filter(room_id=open_room(alice, bob), user_id=bob.id).update(left_pos=1)
        open_room(alice, carol)
        page = api.get("presence/?page_size=1", token=alice.token).json()
        assert [each["user_id"] for each in page["results"]] == [carol.id]

    @pytest.mark.parametrize("cursor", ["nonsense", "cD0lMDA=", "cD0A", "bz1hJnA9MQ=="])
    def test_knows_its_own_cursors(self, api, refusal, alice, room, cursor):
        answer = api.get(f"presence/?cursor={cursor}", token=alice.token)
        refusal(answer, 400, "invalid")
