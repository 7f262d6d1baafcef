"""`blocks/`: whom one wants to hear nothing of, and what he can tell of it."""

import json

import pytest

from messaging.http.blocks import BlockOutput, BlockPageOutput
from messaging.models import Block, Contact, Profile
from messaging.permissions import tie_between
from messaging_service.tests.http.test_contacts import REFUSED, until_it_is_done


@pytest.fixture
def block(api):
    def make(person, other):
        body = {"user_id": other.id}
        answer = until_it_is_done(lambda: api.post("blocks/", body, token=person.token))
        assert answer.status_code in {200, 201}, answer.content
        return answer

    return make


def listed(api, person):
    return api.show(person, "blocks/")["results"]


def position_of(person):
    return Profile.objects.get(pk=person.id).pos


class TestBlocking:
    @pytest.mark.parametrize("by", ["user_id", "username"])
    def test_is_seen_by_its_maker_alone(self, api, alice, bob, by):
        body = {"user_id": bob.id} if by == "user_id" else {"username": bob.username}
        answer = api.post("blocks/", body, token=alice.token)
        made = answer.json()
        assert (answer.status_code, made.keys()) == (201, BlockOutput().fields.keys())
        assert (made["user_id"], made["username"], made["is_lifted"]) == (
            bob.id,
            bob.username,
            False,
        )
        assert listed(api, alice) == [made]
        assert listed(api, bob) == []
        assert (position_of(alice), position_of(bob)) == (1, 0)

    def test_again_changes_nothing(self, block, alice, bob):
        first, again = block(alice, bob), block(alice, bob)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert position_of(alice) == 1

    def test_at_once_is_one(self, block, together, alice, bob):
        def one(number):
            return block(*((alice, bob), (bob, alice))[number % 2]).status_code

        assert sorted(together(8, one)) == [200] * 6 + [201] * 2
        assert [position_of(each) for each in (alice, bob)] == [1, 1]

    @pytest.mark.parametrize("state", ["pending", "accepted"])
    @pytest.mark.parametrize("asker", ["alice", "bob"])
    def test_ends_a_contact_as_removing_him_would(
        self, api, block, request, alice, bob, state, asker
    ):
        asks = request.getfixturevalue(asker)
        other = bob if asks is alice else alice
        made = api.post("contacts/", {"user_id": other.id}, token=asks.token).json()["id"]
        if state == "accepted":
            api.post(f"contacts/{made}/accept/", token=other.token)
        before = position_of(bob)
        block(alice, bob)
        assert Contact.objects.get(pk=made).state == "removed"
        [told] = api.show(bob, f"me/changes/?after={before}")["events"]
        assert (told["type"], told["contact"]["state"]) == ("me.changed", "removed")
        assert api.show(bob, "contacts/")["results"] == []

    def test_of_oneself_is_refused(self, api, refusal, alice):
        refusal(api.post("blocks/", {"user_id": alice.id}, token=alice.token), 400, "invalid")
        assert position_of(alice) == 0

    @pytest.mark.parametrize("body", REFUSED, ids=json.dumps)
    def test_wrongly_is_refused(self, api, refusal, alice, body):
        answer = api.post("blocks/", json.dumps(body).encode(), token=alice.token)
        refusal(answer, 400, "invalid")

    @pytest.mark.parametrize("whose", ["mine", "his"])
    def test_keeps_either_from_asking(self, api, refusal, block, alice, bob, whose):
        block(*((alice, bob) if whose == "mine" else (bob, alice)))
        before = position_of(alice), position_of(bob)
        refusal(api.post("contacts/", {"user_id": bob.id}, token=alice.token), 403, "blocked")
        assert (position_of(alice), position_of(bob)) == before
        assert not Contact.objects.filter(requester=alice.id).exists()

    def test_keeps_a_request_of_before_from_being_accepted(self, api, refusal, block, alice, bob):
        made = api.post("contacts/", {"user_id": bob.id}, token=alice.token).json()["id"]
        block(alice, bob)
        refusal(api.post(f"contacts/{made}/accept/", token=bob.token), 404, "not_found")

    def test_and_accepting_at_once_makes_no_contact(self, api, block, together, alice, bob):
        made = api.post("contacts/", {"user_id": bob.id}, token=alice.token).json()["id"]

        def one(number):
            if number:
                path = f"contacts/{made}/accept/"
                return until_it_is_done(lambda: api.post(path, token=bob.token))
            return block(alice, bob)

        blocked, accepted = (answer.status_code for answer in together(2, one))
        assert (blocked, accepted) in {(201, 200), (201, 404)}
        assert tie_between(alice.id, bob.id) == (True, False)


class TestLifting:
    @pytest.mark.parametrize("by", ["address", "body"])
    def test_takes_it_back_and_again_changes_nothing(self, api, block, alice, bob, by):
        block(alice, bob)
        path, body = (f"blocks/{bob.id}/", None) if by == "address" else ("blocks/", bob.id)
        for _ in range(2):
            asked = None if body is None else {"user_id": body}
            assert api.send("DELETE", path, asked, token=alice.token).status_code == 204
            assert listed(api, alice) == []
            assert position_of(alice) == 2
        assert tie_between(alice.id, bob.id) == (False, False)
        assert block(alice, bob).status_code == 201

    def test_leaves_the_others_block(self, api, block, alice, bob):
        block(alice, bob)
        block(bob, alice)
        api.send("DELETE", f"blocks/{bob.id}/", token=alice.token)
        assert tie_between(alice.id, bob.id).is_blocked

    @pytest.mark.parametrize("who", ["nobody", "a b", "x" * 65, "%00"])
    def test_of_nobody_is_done(self, api, alice, who):
        assert api.send("DELETE", f"blocks/{who}/", token=alice.token).status_code == 204
        assert not Block.objects.filter(blocker=alice.id).exists()

    def test_of_nobody_named_is_refused(self, api, refusal, alice):
        refusal(api.send("DELETE", "blocks/", {}, token=alice.token), 400, "invalid")


class TestTheList:
    def test_is_everybody_once_in_pages(self, api, block, make_person, alice):
        people = [make_person() for _ in range(5)]
        for person in people:
            block(alice, person)
        found, path = [], "blocks/?page_size=2"
        while path:
            page = api.show(alice, path)
            assert page.keys() == BlockPageOutput().fields.keys()
            found += [each["user_id"] for each in page["results"]]
            path = page["next"]
        assert found == [person.id for person in people]

    def test_needs_a_credential(self, api, refusal):
        for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("DELETE", "1/")):
            refusal(api.send(method, f"blocks/{path}"), 401, "not_authenticated")
