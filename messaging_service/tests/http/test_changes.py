"""Catching up over HTTP: the frames a socket would have had, and how far they lead."""

import uuid

import pytest

from messaging.actions.members import add_member, remove_member
from messaging.http import changes as door
from messaging.models import Epoch, Member, Profile, Room


@pytest.fixture
def ask_many(api):
    """The rooms of the answer to POST changes/."""

    def ask(person, rooms, **more):
        answer = api.post("changes/", {"rooms": rooms} | more, token=person.token)
        assert answer.status_code == 200, answer.content
        assert answer.json().keys() == {"rooms"}
        return answer.json()["rooms"]

    return ask


def epoch():
    return str(Epoch.objects.get().value)


class TestChangesOfARoom:
    def test_are_the_frames_that_were_told(self, api, show, send, enter, alice, bob, carol, room):
        hearing = enter(bob, room)
        first, second = send(alice, room, "first"), send(alice, room, "second")
        api.send("PUT", f"messages/{first['id']}/", {"content": "1st"}, token=alice.token)
        add_member(room_id=room, user_id=carol.id)
        told = [hearing.expect("message", "message.updated", "member.joined") for _ in range(4)]
        found = show(bob, f"rooms/{room}/changes/?after=0")
        assert found.pop("reads") == {alice.id: 2, bob.id: 0, carol.id: 2}
        # The first frame was replaced by a later one, which is a message to who knows neither.
        told[2].pop("change")
        assert found == {
            "events": [told[1], told[2] | {"type": "message"}, told[3]],
            "pos": 4,
            "epoch": epoch(),
            "complete": True,
            "more": False,
        }
        later = show(bob, f"rooms/{room}/changes/?after=2")
        assert later["events"] == told[2:]
        assert second["pos"] == 2

    def test_are_none_when_nothing_changed(self, show, send, alice, room):
        for number in range(2):
            found = show(alice, f"rooms/{room}/changes/?after={number}")
            assert (found["events"], found["pos"], found["complete"]) == ([], number, True)
            send(alice, room)

    @pytest.mark.parametrize("query", ["after=2", "after=9223372036854775807"])
    def test_from_ahead_are_not_complete(self, show, send, alice, room, query):
        send(alice, room)
        found = show(alice, f"rooms/{room}/changes/?{query}")
        assert (found["events"], found["pos"], found["complete"]) == ([], 1, False)

    def test_of_another_epoch_are_not_complete(self, show, send, alice, room):
        send(alice, room)
        for given, complete in ((epoch(), True), (uuid.uuid4(), False), ("x", False)):
            found = show(alice, f"rooms/{room}/changes/?after=0&epoch={given}")
            assert (found["complete"], found["epoch"]) == (complete, epoch())
            assert len(found["events"]) == complete

    def test_from_before_one_joined_are_not_complete(self, show, send, alice, carol, room):
        send(alice, room)
        add_member(room_id=room, user_id=carol.id)
        for after, complete in ((1, False), (2, True)):
            found = show(carol, f"rooms/{room}/changes/?after={after}")
            assert (found["events"], found["complete"], found["pos"]) == ([], complete, 2)

    def test_come_in_pages(self, show, send, alice, room):
        sent = [send(alice, room, "x" * 4_000)["id"] for _ in range(70)]
        found, after, pages = [], 0, 0
        while True:
            page = show(alice, f"rooms/{room}/changes/?after={after}")
            found += [event["id"] for event in page["events"]]
            after, pages = page["pos"], pages + 1
            if not page["more"]:
                break
        assert (found, after) == (sent, 70)
        assert pages == 2

    def test_are_not_there_for_who_is_no_member(self, api, refusal, send, alice, bob, carol, room):
        send(alice, room)
        remove_member(room_id=room, user_id=bob.id)
        for person in (bob, carol):
            answer = api.get(f"rooms/{room}/changes/?after=0", token=person.token)
            refusal(answer, 404, "not_found")
        for room_id in (0, 2**63 - 1, 2**63, 10**30):
            answer = api.get(f"rooms/{room_id}/changes/?after=0", token=alice.token)
            refusal(answer, 404, "not_found")

    @pytest.mark.parametrize("query", ["", "after=", "after=-1", "after=x", f"after={2**63}"])
    def test_must_be_asked_for_properly(self, api, refusal, alice, room, query):
        answer = api.get(f"rooms/{room}/changes/?{query}", token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "after"


class TestChangesOfManyRooms:
    def test_are_those_of_each(self, show, ask_many, send, open_room, alice, bob, carol, room):
        other, foreign = open_room(alice, carol), open_room(bob, carol)
        for _ in range(2):
            send(alice, room)
        send(carol, other)
        asked = {str(room): 1, str(other): 0, str(foreign): 0, str(2**63 - 1): 0}
        found = ask_many(alice, asked)
        assert found.pop(str(foreign)) is found.pop(str(2**63 - 1)) is None
        assert found == {
            str(room): show(alice, f"rooms/{room}/changes/?after=1"),
            str(other): show(alice, f"rooms/{other}/changes/?after=0"),
        }
        assert [len(each["events"]) for each in found.values()] == [1, 1]

    def test_of_another_epoch_are_not_complete(self, ask_many, send, alice, room):
        send(alice, room)
        found = ask_many(alice, {str(room): 0}, epoch="another")
        assert found[str(room)]["complete"] is False

    def test_of_no_room_are_none(self, ask_many, alice):
        assert ask_many(alice, {}) == {}

    def test_that_are_too_much_wait_for_the_next_question(
        self, monkeypatch, ask_many, send, make_person, open_room, alice
    ):
        monkeypatch.setattr(door, "ANSWER_BYTES", 1_000)
        monkeypatch.setattr(door, "ROOMS_AT_ONCE", 2)
        rooms = {str(open_room(alice, make_person("friend"))): 0 for _ in range(5)}
        for room_id in rooms:
            send(alice, int(room_id), "x" * 600)
        found, questions = dict.fromkeys(rooms, 0), 0
        while rooms:
            told = ask_many(alice, rooms)
            assert told.keys() == rooms.keys()
            for room_id, each in told.items():
                found[room_id] += len(each["events"])
                assert each["complete"] is True
            rooms = {room_id: each["pos"] for room_id, each in told.items() if each["more"]}
            questions += 1
        assert set(found.values()) == {1}
        assert questions == 3

    def test_are_of_a_thousand_at_most(self, api, refusal, ask_many, alice):
        rooms = {str(10**12 + number): 0 for number in range(1_000)}
        assert set(ask_many(alice, rooms).values()) == {None}
        answer = api.post("changes/", {"rooms": rooms | {"1": 0}}, token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "rooms"

    @pytest.mark.parametrize(
        "body",
        [
            *({}, {"rooms": None}, {"rooms": []}, {"rooms": "1"}, {"rooms": {"x": 0}}),
            *({"rooms": {"0": 0}}, {"rooms": {"-1": 0}}, {"rooms": {"1.0": 0}}, {"rooms": {"": 0}}),
            *({"rooms": {"1": -1}}, {"rooms": {"1": None}}, {"rooms": {"1": 2**63}}),
            *({"rooms": {str(2**63): 0}}, {"rooms": {"1": {}}}),
        ],
    )
    def test_must_be_asked_for_properly(self, api, refusal, alice, body):
        told = refusal(api.post("changes/", body, token=alice.token), 400, "invalid")
        assert told["errors"][0]["field"].startswith("rooms")


class TestMyChanges:
    def test_are_rooms_and_markers(self, api, show, send, open_room, alice, bob, carol, room):
        open_room(alice, carol)
        send(bob, room)
        api.post("reads/", {"room": room, "seq": 1}, token=alice.token)
        found = show(alice, "me/changes/?after=1")
        assert [(each["type"], each["user_pos"]) for each in found["events"]] == [
            ("room.added", 2),
            ("me.changed", 3),
        ]
        assert found["events"][1]["last_read_seq"] == 1
        rest = {"pos": 3, "epoch": epoch(), "complete": True, "more": False}
        assert {name: found[name] for name in found if name != "events"} == rest
        assert show(alice, "me/changes/?after=3")["events"] == []

    def test_end_with_leaving(self, show, alice, bob, room):
        assert len(show(bob, "me/changes/?after=0")["events"]) == 1
        remove_member(room_id=room, user_id=bob.id)
        assert show(bob, "me/changes/?after=0")["events"] == []

    def test_of_somebody_new_are_none(self, show, make_person):
        found = show(make_person(known=False), "me/changes/?after=0")
        assert (found["events"], found["pos"], found["complete"]) == ([], 0, True)

    def test_may_be_not_complete(self, show, alice, room):
        for query in ("after=2", "after=0&epoch=another"):
            found = show(alice, f"me/changes/?{query}")
            assert (found["events"], found["pos"], found["complete"]) == ([], 1, False)

    @pytest.mark.parametrize("query", ["", "after=-1", "after=x", f"after={2**63}"])
    def test_must_be_asked_for_properly(self, api, refusal, alice, query):
        refusal(api.get(f"me/changes/?{query}", token=alice.token), 400, "invalid")


class TestManyChanges:
    @pytest.mark.parametrize(("number", "complete"), [(1_000, True), (1_001, False)])
    def test_are_told_up_to_a_thousand(self, show, alice, room, number, complete):
        ids = [f"{room}-{each}" for each in range(number)]
        Profile.objects.bulk_create([Profile(user_id=id_, username=id_) for id_ in ids])
        Member.objects.bulk_create(
            [
                Member(room_id=room, user_id=id_, pos=pos, joined_pos=pos)
                for pos, id_ in enumerate(ids, start=1)
            ]
        )
        Room.objects.filter(pk=room).update(pos=number)
        found = show(alice, f"rooms/{room}/changes/?after=0")
        assert (found["complete"], len(found["events"])) == (complete, number * complete)
        assert show(alice, f"rooms/{room}/changes/?after=1")["complete"] is True
