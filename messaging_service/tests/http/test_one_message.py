"""One message over HTTP, and messages by room and by id."""

import pytest

from messaging.models import Member, Message


@pytest.fixture
def message(send, alice, room):
    return send(alice, room)


class TestMessage:
    def test_is_shown_to_members_at_both_addresses(self, api, alice, bob, room, message):
        for person in (alice, bob):
            for path in (f"messages/{message['id']}/", f"rooms/{room}/messages/{message['id']}/"):
                answer = api.get(path, token=person.token)
                assert (answer.status_code, answer.json()) == (200, message)
                assert answer["Content-Type"] == "application/json"

    def test_is_not_shown_to_a_stranger(self, api, refusal, carol, room, message):
        for path in (f"messages/{message['id']}/", f"rooms/{room}/messages/{message['id']}/"):
            refusal(api.get(path, token=carol.token), 404, "not_found")

    def test_is_not_shown_below_another_room(
        self, api, refusal, open_room, alice, carol, room, message
    ):
        other = open_room(alice, carol)
        answer = api.get(f"rooms/{other}/messages/{message['id']}/", token=alice.token)
        refusal(answer, 404, "not_found")

    @pytest.mark.parametrize("message_id", [0, 2**63 - 1, 2**63, "9" * 30, "9" * 5_000])
    def test_that_is_not_there_is_not_found(self, api, refusal, alice, room, message_id):
        refusal(api.get(f"messages/{message_id}/", token=alice.token), 404, "not_found")

    @pytest.mark.parametrize("seq", [1, 2])
    def test_is_not_shown_from_before_one_may_see(self, api, send, alice, bob, room, seq):
        ids = [send(alice, room)["id"] for _ in range(2)]
        Member.objects.filter(room_id=room, user_id=bob.id).update(visible_from_seq=2)
        answer = api.get(f"messages/{ids[seq - 1]}/", token=bob.token)
        assert answer.status_code == (404 if seq == 1 else 200)

    def test_needs_a_token(self, api, refusal, message):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            answer = api.send(method, f"messages/{message['id']}/", {"content": "y"})
            refusal(answer, 401, "not_authenticated")
        assert Message.objects.get(pk=message["id"]).content == "x"

    def test_has_no_other_methods(self, api, refusal, alice, message):
        answer = api.post(f"messages/{message['id']}/", {"content": "y"}, token=alice.token)
        refusal(answer, 405, "method_not_allowed")
        assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer["Allow"].split(", "))


class TestEdit:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    @pytest.mark.parametrize("path", ["messages/{}/", "rooms/{room}/messages/{}/"])
    def test_answers_with_the_message(self, api, alice, room, message, method, path):
        path, body = path.format(message["id"], room=room), {"content": "y", "seq": 7}
        answer = api.send(method, path, body, token=alice.token)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer.json() == api.get(path, token=alice.token).json()
        assert (answer.json()["content"], answer.json()["seq"]) == ("y", 1)


class TestDelete:
    @pytest.mark.parametrize("path", ["messages/{}/", "rooms/{room}/messages/{}/"])
    def test_answers_with_nothing(self, api, alice, room, message, path):
        for _ in range(2):
            answer = api.send("DELETE", path.format(message["id"], room=room), token=alice.token)
            assert (answer.status_code, answer.content) == (204, b"")
        assert Message.objects.get(pk=message["id"]).content == ""

    @pytest.mark.parametrize("whom", ["me", "everybody", ""])
    def test_for_somebody_never_deletes_for_everybody(self, api, refusal, alice, message, whom):
        answer = api.send("DELETE", f"messages/{message['id']}/?for={whom}", token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "for"
        assert Message.objects.get(pk=message["id"]).deleted_at is None


class TestMessagesOfARoom:
    def test_are_its_history(self, api, send, alice, room):
        for number in range(5):
            send(alice, room, str(number))
        for query in ("limit=2", "before=3&limit=2", "after=1&limit=2", "around=3&limit=3"):
            found = api.get(f"messages/?room={room}&{query}", token=alice.token).json()
            same = api.get(f"rooms/{room}/messages/?{query}", token=alice.token).json()
            for name in ("results", "pos", "epoch"):
                assert found[name] == same[name]
            for name in ("previous", "next"):
                assert (found[name] is None) == (same[name] is None)

    def test_are_covered_by_following_the_links(self, api, send, alice, room):
        sent = [send(alice, room, str(number)) for number in range(5)]
        page = api.get(f"messages/?room={room}&limit=2", token=alice.token).json()
        found = page["results"]
        while page["previous"]:
            page = api.get(page["previous"], token=alice.token).json()
            found = page["results"] + found
        assert found == sent

    def test_are_not_there_for_a_stranger(self, api, refusal, carol, room):
        for room_id in (room, 0, 2**63, 10**19):
            answer = api.get(f"messages/?room={room_id}", token=carol.token)
            refusal(answer, 404, "not_found")

    @pytest.mark.parametrize("query", ["", "room=x", "room=", "room=1.5", "room=-1", "limit=0"])
    def test_must_be_asked_for_properly(self, api, refusal, alice, room, query):
        refusal(api.get(f"messages/?{query}", token=alice.token), 400, "invalid")


class TestMessagesById:
    def test_are_those_one_may_see(self, api, send, open_room, alice, bob, carol, room):
        mine = [send(alice, room) for _ in range(3)]
        hidden = send(alice, open_room(alice, carol))
        ids = ",".join(str(each["id"]) for each in [hidden, *mine[::-1], mine[0]])
        answer = api.get(f"messages/?ids={ids},{2**63},0", token=bob.token)
        assert answer.json() == {"results": mine, "previous": None, "next": None}

    def test_are_a_hundred_at_most(self, api, refusal, alice, message):
        ids = ",".join(map(str, [message["id"], *range(10**9, 10**9 + 99)]))
        found = api.get(f"messages/?ids={ids}", token=alice.token).json()
        assert found["results"] == [message]
        answer = api.get(f"messages/?ids={ids},1", token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "ids"

    @pytest.mark.parametrize("query", ["ids=", "ids=1,", "ids=x", "ids=1;2", "ids=1&room=1"])
    def test_must_be_asked_for_properly(self, api, refusal, alice, room, query):
        refusal(api.get(f"messages/?{query}", token=alice.token), 400, "invalid")


class TestSend:
    def test_names_the_room_in_either_form(self, api, alice, room):
        for form in (room, str(room)):
            body = {"room": form, "content": "x", "client_id": "a"}
            answer = api.post("messages/", body, token=alice.token)
            assert answer.status_code == (201 if form == room else 200)
            assert answer.json()["room"] == room
        assert Message.objects.filter(room_id=room).count() == 1

    def test_is_one_with_the_other_address(self, api, alice, room):
        body = {"content": "x", "client_id": "a"}
        first = api.post(f"rooms/{room}/messages/", body, token=alice.token)
        again = api.post("messages/", body | {"room": room}, token=alice.token)
        assert again.json() == first.json() | {"duplicate": True}

    @pytest.mark.parametrize("room_id", [None, "", "x", True, 1.5, [], {}])
    def test_needs_a_room(self, api, refusal, alice, room, room_id):
        answer = api.post("messages/", {"room": room_id, "content": "x"}, token=alice.token)
        assert refusal(answer, 400, "invalid")["errors"][0]["field"] == "room"
        refusal(api.post("messages/", {"content": "x"}, token=alice.token), 400, "invalid")

    def test_to_a_room_of_others_is_not_found(self, api, refusal, carol, room):
        for room_id in (room, 0, -1, 2**63, "9" * 20):
            answer = api.post("messages/", {"room": room_id, "content": "x"}, token=carol.token)
            refusal(answer, 404, "not_found")
        assert not Message.objects.filter(room_id=room).exists()
