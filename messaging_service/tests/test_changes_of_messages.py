"""Editing and deleting through both doors: same row, same refusal, same event."""

from datetime import datetime

import pytest

from messaging.models import Member, Message, Room

LONGEST = 4_000


def kept(message_id):
    columns = ("pos", "content", "edited_at", "deleted_at")
    return Message.objects.values_list(*columns).get(pk=message_id)


@pytest.fixture
def sent(door, alice, room):
    """A message of alice."""
    return door.send(alice, room, content="as it was", client_id="first").message


class TestEdit:
    def test_is_told_to_both_as_it_was_acknowledged(self, door, enter, alice, bob, room, sent):
        hearing = [enter(alice, room), enter(bob, room)]
        answer = door.edit(alice, room, sent["id"], content="as it is")
        for socket in hearing:
            event = socket.expect("message.updated")
            assert (event.pop("type"), event.pop("change")) == ("message.updated", "edited")
            assert event == answer.message

    def test_changes_the_content_the_moment_and_the_position(self, door, alice, room, sent):
        message = door.edit(alice, room, sent["id"], content="as it is").message
        edited_at = message["edited_at"]
        assert sent["timestamp"] < edited_at
        changed = {"content": "as it is", "pos": 2, "is_edited": True, "edited_at": edited_at}
        assert message == sent | changed
        moment = datetime.fromisoformat(edited_at)
        assert kept(sent["id"]) == (2, "as it is", moment, None)
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (1, 2)

    def test_with_the_same_content_changes_nothing(self, door, untouched, alice, room, sent):
        first = door.edit(alice, room, sent["id"], content="as it is").message
        with untouched():
            assert door.edit(alice, room, sent["id"], content="as it is").message == first

    def test_leaves_the_other_messages(self, door, alice, room, sent):
        other = door.send(alice, room, content="other").message
        door.edit(alice, room, sent["id"], content="as it is")
        assert kept(other["id"]) == (2, "other", None, None)

    def test_may_name_the_message_by_a_string(self, socket_door, alice, room, sent):
        answer = socket_door.edit(alice, room, str(sent["id"]), content="as it is")
        assert answer.message["content"] == "as it is"

    @pytest.mark.parametrize(
        "content", ["x" * LONGEST, "é" * LONGEST, "👋" * LONGEST, " x ", "<b>"]
    )
    def test_may_say_what_a_send_may(self, door, alice, room, sent, content):
        assert door.edit(alice, room, sent["id"], content=content).message["content"] == content

    @pytest.mark.parametrize(
        "content", ["", "  \n", "x" * (LONGEST + 1), "\0", None, 1, [], {}, True]
    )
    def test_may_not_say_what_a_send_may_not(self, door, untouched, alice, room, sent, content):
        with untouched():
            answer = door.edit(alice, room, sent["id"], content=content)
            assert answer.code == "invalid"
            assert kept(sent["id"]) == (1, "as it was", None, None)

    def test_needs_a_content(self, door, untouched, alice, room, sent):
        with untouched():
            answer = door.edit(alice, room, sent["id"])
            assert (answer.code, answer.fields) == ("invalid", ["content"])

    def test_of_a_deleted_message_is_a_conflict(self, door, untouched, alice, room, sent):
        door.delete(alice, room, sent["id"])
        before = kept(sent["id"])
        for content in ("as it is", ""):
            with untouched():
                expected = "conflict" if content else "invalid"
                assert door.edit(alice, room, sent["id"], content=content).code == expected
                assert kept(sent["id"]) == before

    def test_is_seen_by_a_repeated_send(self, door, untouched, alice, room, sent):
        edited = door.edit(alice, room, sent["id"], content="as it is").message
        with untouched():
            again = door.send(alice, room, content="as it was", client_id="first")
        assert (again.duplicate, again.message) == (True, edited)

    def test_does_not_free_the_client_id(self, door, alice, room, sent):
        door.edit(alice, room, sent["id"], content="as it is")
        again = door.send(alice, room, content="as it is", client_id="first")
        assert again.code == "client_id_reused"


class TestDelete:
    def test_is_told_to_both_as_it_was_acknowledged(self, door, enter, alice, bob, room, sent):
        hearing = [enter(alice, room), enter(bob, room)]
        answer = door.delete(alice, room, sent["id"])
        for socket in hearing:
            event = socket.expect("message.updated")
            assert (event.pop("type"), event.pop("change")) == ("message.updated", "deleted")
            assert event == answer.message

    def test_leaves_a_tombstone(self, door, api, bob, alice, room, sent):
        message = door.delete(alice, room, sent["id"]).message
        deleted_at = message["deleted_at"]
        assert sent["timestamp"] < deleted_at
        changed = {"content": "", "pos": 2, "is_deleted": True, "deleted_at": deleted_at}
        assert message == sent | changed
        assert kept(sent["id"])[:2] == (2, "")
        told = api.get(f"rooms/{room}/messages/", token=bob.token).json()["results"]
        assert told == [message]
        assert Room.objects.values_list("seq", "pos").get(pk=room) == (1, 2)

    def test_keeps_when_it_was_edited(self, door, alice, room, sent):
        edited = door.edit(alice, room, sent["id"], content="as it is").message
        message = door.delete(alice, room, sent["id"]).message
        assert (message["is_edited"], message["edited_at"]) == (True, edited["edited_at"])

    def test_again_changes_nothing(self, door, untouched, alice, room, sent):
        first = door.delete(alice, room, sent["id"]).message
        with untouched():
            assert door.delete(alice, room, sent["id"]).message == first

    def test_is_no_longer_unread(self, door, api, alice, bob, room, sent):
        def unread():
            return api.get(f"rooms/{room}/", token=bob.token).json()["unread_count"]

        assert unread() == 1
        door.delete(alice, room, sent["id"])
        assert unread() == 0

    def test_is_seen_by_a_repeated_send(self, door, untouched, alice, room, sent):
        tombstone = door.delete(alice, room, sent["id"]).message
        with untouched():
            again = door.send(alice, room, content="as it was", client_id="first")
        assert (again.duplicate, again.message) == (True, tombstone)


ACTS = {
    "edit": lambda door, *who_and_what: door.edit(*who_and_what, content="changed"),
    "delete": lambda door, *who_and_what: door.delete(*who_and_what),
}


@pytest.fixture(params=sorted(ACTS))
def change(request, door):
    """Each way to change a message, through each door."""
    return lambda *who_and_what: ACTS[request.param](door, *who_and_what)


@pytest.fixture
def unchanged(untouched, sent):
    """Assert that a block changes nothing of alice's message, nor of its room."""

    def watch():
        return untouched()

    yield watch
    assert kept(sent["id"]) == (1, "as it was", None, None)


class TestChangeByAnother:
    def test_member_is_forbidden(self, change, unchanged, bob, room, sent):
        with unchanged():
            assert change(bob, room, sent["id"]).code == "forbidden"

    def test_who_left_is_not_found(self, door, change, unchanged, alice, bob, room, sent):
        # His socket is open already: the refusal is the act's own.
        door.send(bob, room, content="still here")
        for left in (bob, alice):
            with unchanged():
                Member.objects.filter(room_id=room, user_id=left.id).update(left_pos=2)
                assert change(left, room, sent["id"]).code == "not_found"
                Member.objects.filter(room_id=room, user_id=left.id).update(left_pos=None)

    def test_who_may_not_see_it_is_not_found(self, change, unchanged, alice, room, sent):
        Member.objects.filter(room_id=room, user_id=alice.id).update(visible_from_seq=2)
        with unchanged():
            assert change(alice, room, sent["id"]).code == "not_found"

    def test_who_sees_from_it_on_may(self, change, alice, room, sent):
        Member.objects.filter(room_id=room, user_id=alice.id).update(visible_from_seq=1)
        assert change(alice, room, sent["id"]).message["pos"] == 2


class TestChangeElsewhere:
    def test_by_the_address_of_another_room_is_not_found(
        self, change, unchanged, open_room, alice, carol, room, sent
    ):
        other = open_room(alice, carol)
        with unchanged():
            assert change(alice, other, sent["id"]).code == "not_found"

    @pytest.mark.parametrize("message_id", [0, 2**63 - 1, 2**63, 10**19])
    def test_of_no_message_is_not_found(self, change, unchanged, alice, room, message_id):
        with unchanged():
            assert change(alice, room, message_id).code == "not_found"

    @pytest.mark.parametrize("message_id", [None, "", "x", "1.0", 1.5, True, [], {}, "9" * 21, "٣"])
    def test_of_what_is_no_id_is_invalid(self, socket_door, enter, alice, room, message_id):
        for kind in ("message.edit", "message.delete"):
            command = {"type": kind, "id": message_id, "content": "x"}
            error = socket_door.socket(alice, room).ask(command)
            assert (error["code"], error["errors"][0]["field"]) == ("invalid", "id")


class TestChangesAtOnce:
    def test_are_made_one_after_the_other(self, door, api, together, alice, bob, room, sent):
        def edit(number):
            path, body = f"messages/{sent['id']}/", {"content": f"edit {number}"}
            return api.send("PUT", path, body, token=alice.token).json()

        told = together(8, edit)
        assert sorted(message["pos"] for message in told) == list(range(2, 10))
        last = max(told, key=lambda message: message["pos"])
        assert api.get(f"messages/{sent['id']}/", token=bob.token).json() == last
        assert Room.objects.get(pk=room).pos == 9

    def test_leave_a_tombstone_if_one_of_them_deletes(self, api, door, together, alice, room, sent):
        def act(number):
            path = f"messages/{sent['id']}/"
            if number == 3:
                return api.send("DELETE", path, token=alice.token).status_code
            body = {"content": f"edit {number}"}
            return api.send("PUT", path, body, token=alice.token).status_code

        statuses = together(8, act)
        assert statuses.pop(3) == 204
        assert set(statuses) <= {200, 409}
        assert kept(sent["id"])[1] == ""
        assert Room.objects.get(pk=room).pos == 2 + statuses.count(200)

    def test_keep_their_places_among_sends(self, api, door, together, alice, bob, room, sent):
        def act(number):
            if number % 2:
                return door.send(bob, room, content="x") if number == 1 else None
            path, body = f"messages/{sent['id']}/", {"content": f"edit {number}"}
            return api.send("PUT", path, body, token=alice.token)

        together(8, act)
        places = Message.objects.filter(room_id=room).values_list("pos", flat=True)
        counters = Room.objects.values_list("seq", "pos").get(pk=room)
        assert counters == (2, 6)
        assert len(set(places)) == 2
        assert max(places) == 6 or 6 not in places
