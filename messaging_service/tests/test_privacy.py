"""What somebody keeps to himself shows nowhere: through no door, neither live nor later."""

import pytest

from messaging.actions.members import add_member
from messaging.actions.presence.told import came, went
from messaging.events import PEOPLE_CHANNEL, room_channel, user_channel
from messaging.models import Contact, LastSeenTo, Member, Profile, Room
from messaging.queries.changes import room_refill
from messaging_service.tests.telling import told_on

TO = [(to, is_contact) for to in LastSeenTo.values for is_contact in (False, True)]


@pytest.fixture
def allow():
    """Let somebody allow this; how it comes here is tested in actions/test_sessions.py."""
    return lambda person, **switches: Profile.objects.filter(pk=person.id).update(**switches)


@pytest.fixture
def befriend():
    def become_contacts(one, other):
        Contact.objects.create(
            requester_id=one.id, addressee_id=other.id, state=Contact.State.ACCEPTED
        )

    return become_contacts


@pytest.fixture(params=TO, ids=[f"to {to}, {'a' if yes else 'no'} contact" for to, yes in TO])
def is_shown(request, allow, befriend, alice, bob, room):
    """Bob was here, and lets this know when to these; whether to alice."""
    to, is_contact = request.param
    came([bob.id])
    went([bob.id])
    allow(bob, last_seen_to=to)
    if is_contact:
        befriend(*((alice, bob) if to == LastSeenTo.CONTACTS else (bob, alice)))
    return to == LastSeenTo.EVERYONE or (is_contact and to == LastSeenTo.CONTACTS)


def of(person, people):
    (found,) = [each for each in people if each["user_id"] == person.id]
    return found


class TestLastSeen:
    def test_is_shown_over_http_to_whom_he_allows(self, is_shown, api, alice, bob):
        for path in ("presence/", f"presence/?user_ids={bob.id}"):
            found = of(bob, api.show(alice, path)["results"])
            assert (found["last_seen"] is not None) is is_shown
        assert (api.show(alice, f"presence/{bob.id}/")["last_seen"] is not None) is is_shown

    def test_is_shown_on_entering_to_whom_he_allows(self, is_shown, enter, alice, bob, room):
        socket = enter(alice, room)
        shown = [socket.expect("presence") for _ in range(2)]
        assert (of(bob, shown)["last_seen"] is not None) is is_shown

    def test_is_always_shown_to_himself(self, is_shown, api, enter, bob, room):
        assert api.show(bob, "presence/me/")["last_seen"] is not None
        assert api.post("presence/me/", {}, token=bob.token).json()["last_seen"] is not None
        socket = enter(bob, room)
        shown = [socket.expect("presence") for _ in range(2)]
        assert of(bob, shown)["last_seen"] is not None

    @pytest.mark.parametrize("to", LastSeenTo.values)
    def test_is_told_to_all_or_nobody(self, allow, befriend, api, alice, bob, room, to):
        """What is told to everybody alike holds nothing that is for contacts alone."""
        befriend(alice, bob)
        allow(bob, last_seen_to=to)

        def act():
            came([bob.id])
            api.post("presence/me/", {"status": "away"}, token=bob.token)
            api.post("presence/me/", {"status": "invisible"}, token=bob.token)
            api.post("presence/me/", {"status": "busy"}, token=bob.token)
            went([bob.id])

        told = [each for _, each in told_on(PEOPLE_CHANNEL, act) if each["user_id"] == bob.id]
        assert [each["status"] for each in told] == ["online", "away", "offline", "busy", "offline"]
        shown = [each["last_seen"] is not None for each in told]
        assert shown == [False, False] + 3 * [to == LastSeenTo.EVERYONE]

    def test_is_not_shown_to_who_has_only_asked(
        self, allow, befriend, api, enter, alice, bob, room
    ):
        came([bob.id])
        went([bob.id])
        allow(bob, last_seen_to=LastSeenTo.CONTACTS)
        befriend(alice, bob)
        assert api.show(alice, f"presence/{bob.id}/")["last_seen"] is not None
        for state in (Contact.State.PENDING, Contact.State.DECLINED, Contact.State.REMOVED):
            Contact.objects.filter(requester_id=alice.id).update(state=state)
            assert api.show(alice, f"presence/{bob.id}/")["last_seen"] is None

    def test_of_many_costs_as_many_queries_as_of_one(
        self, allow, api, alice, bob, carol, room, open_room, django_assert_max_num_queries
    ):
        open_room(alice, carol)
        for person in (bob, carol):
            allow(person, last_seen_to=LastSeenTo.CONTACTS)
        with django_assert_max_num_queries(4):
            api.show(alice, f"presence/?user_ids={bob.id},{carol.id}")


class TestReadReceipts:
    @pytest.fixture
    def sent(self, door, alice, room):
        return [door.send(alice, room, content=str(number)).message for number in range(2)]

    @pytest.fixture
    def silent(self, allow, bob, sent):
        allow(bob, read_receipts=False)

    @pytest.fixture
    def read(self, silent, door, bob, room):
        assert door.read(bob, room, seq=2).marker == 2

    def test_are_told_to_nobody(self, silent, door, enter, alice, bob, room):
        hearing = enter(alice, room)
        assert told_on(room_channel(room), lambda: door.read(bob, room, seq=1)) == []
        after = door.send(bob, room, content="after that").message
        assert hearing.expect("message")["id"] == after["id"]
        assert "read" not in [frame["type"] for frame in hearing.unheard]

    def test_are_told_to_his_own_devices(self, silent, door, bob, room):
        told = told_on(user_channel(bob.id), lambda: door.read(bob, room, seq=1), at_least=2)
        assert [each["type"] for _, each in told] == ["me.changed", "unread"]
        assert told[0][1]["last_read_seq"] == 1

    def test_are_no_markers_of_the_room(self, read, api, refusal, alice, bob, room):
        marker = Member.objects.get(room_id=room, user_id=bob.id).pk
        shown = api.show(alice, f"reads/?room={room}")["results"]
        assert [each["user_id"] for each in shown] == [alice.id]
        refusal(api.get(f"reads/{marker}/", token=alice.token), 404, "not_found")

    def test_are_shown_to_himself(self, read, api, alice, bob, room):
        shown = api.show(bob, f"reads/?room={room}")["results"]
        assert {each["user_id"]: each["seq"] for each in shown} == {alice.id: 2, bob.id: 2}
        assert [each["seq"] for each in api.show(bob, "reads/")["results"]] == [2]
        for each in shown:
            assert api.show(bob, f"reads/{each['id']}/") == each

    def test_are_not_caught_up_with(self, read, api, enter, alice, bob, room):
        whole = {alice.id: 2, bob.id: 2}
        for person, shown in ((alice, {alice.id: 2}), (bob, whole)):
            assert api.show(person, f"rooms/{room}/changes/?after=0")["reads"] == shown
            answer = api.post("changes/", {"rooms": {str(room): 0}}, token=person.token)
            assert answer.json()["rooms"][str(room)]["reads"] == shown
            socket = enter(person, room)
            socket.send({"type": "sync", "after": 0})
            assert socket.expect("synced")["reads"] == shown

    def test_are_told_to_no_hub(self, read, alice, bob, room):
        refill = room_refill(room_id=room, after=0, user_ids=[alice.id, bob.id])
        assert {event.kind for event in refill.events} <= {"message", "member.joined"}

    def test_are_not_shown_of_participants(self, read, api, alice, bob, room):
        for person, seen in ((alice, None), (bob, 2)):
            for shown in (
                api.show(person, f"rooms/{room}/"),
                api.show(person, "rooms/")["results"][0],
            ):
                assert of(bob, shown["participants"])["last_read_seq"] == seen
                assert of(alice, shown["participants"])["last_read_seq"] == 2
                assert shown["last_read_seq"] == 2

    def test_are_not_told_to_who_is_added(self, read, api, make_person, bob, room):
        added = make_person("added")
        [(_, told)] = told_on(
            user_channel(added.id), lambda: add_member(room_id=room, user_id=added.id)
        )
        assert of(bob, told["participants"])["last_read_seq"] is None
        [later] = api.show(added, "me/changes/?after=0")["events"]
        assert of(bob, later["participants"])["last_read_seq"] is None

    def test_are_shown_again_when_he_wants(self, read, allow, api, door, alice, bob, room):
        allow(bob, read_receipts=True)
        shown = api.show(alice, f"reads/?room={room}")["results"]
        assert of(bob, shown)["seq"] == 2
        door.send(alice, room, content="x")
        told = told_on(room_channel(room), lambda: door.read(bob, room, seq=3), at_least=1)
        assert [each["type"] for _, each in told] == ["read"]


class TestWhoWantsNotToBeFound:
    @pytest.fixture
    def hidden(self, allow, bob):
        allow(bob, is_findable=False)
        return bob

    def ways(self, caller, hidden):
        return (
            {"username": hidden.username.upper()},
            {"participants": [hidden.id]},
            {"participant_a": caller.id, "participant_b": hidden.id},
        )

    def test_is_as_if_not_there_for_a_stranger(self, hidden, api, refusal, alice):
        before = Room.objects.count()
        told = [
            refusal(api.post("rooms/", way, token=alice.token), 404, "not_found")
            for way in self.ways(alice, hidden)
        ]
        assert all(each["detail"] == told[0]["detail"] for each in told)
        assert Room.objects.count() == before
        assert api.show(alice, f"profiles/?user_ids={hidden.id},{alice.id}")["results"] == [
            {
                "user_id": alice.id,
                "username": alice.username,
                "display_name": "Alice",
                "avatar": None,
            }
        ]

    def test_is_found_by_who_shares_a_room(self, hidden, room, api, alice):
        for way in self.ways(alice, hidden):
            answer = api.post("rooms/", way, token=alice.token)
            assert (answer.status_code, answer.json()["id"]) == (200, room)
        shown = api.show(alice, f"profiles/?user_ids={hidden.id}")["results"]
        assert [each["user_id"] for each in shown] == [hidden.id]

    def test_is_found_by_a_contact(self, hidden, befriend, api, alice):
        befriend(hidden, alice)
        answer = api.post("rooms/", {"username": hidden.username}, token=alice.token)
        assert answer.status_code == 201

    def test_is_not_found_by_who_has_asked_him(self, hidden, befriend, api, refusal, alice):
        befriend(alice, hidden)
        Contact.objects.filter(requester_id=alice.id).update(state=Contact.State.PENDING)
        asked = {"username": hidden.username}
        refusal(api.post("rooms/", asked, token=alice.token), 404, "not_found")

    def test_is_found_by_whom_he_has_asked(self, hidden, api, alice):
        api.post("contacts/", {"user_id": alice.id}, token=hidden.token)
        asked = {"username": hidden.username}
        assert api.post("contacts/", asked, token=alice.token).json()["state"] == "accepted"
        assert api.post("blocks/", asked, token=alice.token).status_code == 201

    def test_cannot_be_asked_or_blocked_by_a_stranger(self, hidden, api, refusal, alice):
        for path in ("contacts/", "blocks/"):
            for asked in ({"username": hidden.username}, {"user_id": hidden.id}):
                refusal(api.post(path, asked, token=alice.token), 404, "not_found")

    def test_finds_others_and_himself(self, hidden, api, carol):
        answer = api.post("rooms/", {"username": carol.username}, token=hidden.token)
        assert answer.status_code == 201
        shown = api.show(hidden, f"profiles/?user_ids={hidden.id}")["results"]
        assert [each["user_id"] for each in shown] == [hidden.id]
        assert api.show(carol, f"profiles/?user_ids={hidden.id}")["results"] == shown
