"""`contacts/`: asking, answering, ending, and who sees what of it."""

import json

import pytest

from messaging.http.contacts import ContactOutput, ContactPageOutput
from messaging.models import Contact, Profile
from messaging.permissions import are_contacts

REFUSED = [
    *({}, [], "bob", 1, None, {"user_id": None}, {"user_id": "a b"}, {"user_id": []}),
    *({"username": ""}, {"username": None}, {"username": {}}, {"username": "x" * 65}),
    {"user_id": "1", "username": "bob"},
]


def until_it_is_done(send):
    """Send again what waited for its turn for too long, as a client would."""
    while (answer := send()).status_code == 503:
        pass
    return answer


@pytest.fixture
def ask(api):
    """Ask somebody; returns the answer."""
    return lambda person, other: api.post("contacts/", {"user_id": other.id}, token=person.token)


@pytest.fixture
def asked(ask, alice, bob):
    """The id of what alice has asked bob."""
    answer = ask(alice, bob)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


@pytest.fixture
def act(api):
    """Do something with a contact; returns the answer."""

    def do(person, contact_id, what):
        method, path = ("DELETE", "") if what == "end" else ("POST", f"{what}/")
        return api.send(method, f"contacts/{contact_id}/{path}", token=person.token)

    return do


@pytest.fixture
def unchanged(alice, bob):
    """Assert that nothing has changed since, and nobody was told."""
    people = [alice.id, bob.id]

    def state():
        contacts = Contact.objects.filter(requester__in=people).order_by("pk").values()
        return list(contacts), list(Profile.objects.filter(pk__in=people).values("user_id", "pos"))

    before = []

    def check():
        assert state() == before[0]

    check.begin = lambda: before.append(state())
    return check


def listed(api, person, query=""):
    return api.show(person, f"contacts/{query}")["results"]


def seen(api, person):
    return [(each["direction"], each["state"]) for each in listed(api, person)]


class TestAsking:
    @pytest.mark.parametrize(
        "body",
        [
            lambda other: {"user_id": other.id},
            lambda other: {"user_id": int(other.id)},
            lambda other: {"username": other.username},
            lambda other: {"username": other.username.upper()},
        ],
    )
    def test_is_seen_by_both_as_each_sees_it(self, api, alice, bob, body):
        answer = api.post("contacts/", body(bob), token=alice.token)
        assert answer.status_code == 201, answer.content
        mine, [his] = answer.json(), listed(api, bob)
        assert mine.keys() == ContactOutput().fields.keys()
        assert (mine["user_id"], mine["username"]) == (bob.id, bob.username)
        assert (mine["direction"], mine["state"]) == ("outgoing", "pending")
        assert his == mine | {
            "user_id": alice.id,
            "username": alice.username,
            "direction": "incoming",
        }
        assert listed(api, alice) == [mine]
        assert not are_contacts(alice.id, bob.id)

    def test_again_changes_nothing(self, ask, unchanged, alice, bob, asked):
        unchanged.begin()
        again = ask(alice, bob)
        assert (again.status_code, again.json()["id"]) == (200, asked)
        unchanged()

    def test_by_who_was_asked_accepts(self, api, ask, alice, bob, asked):
        answer = ask(bob, alice)
        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
        assert seen(api, alice) == [("outgoing", "accepted")]
        assert are_contacts(alice.id, bob.id)
        assert are_contacts(bob.id, alice.id)

    def test_of_a_contact_changes_nothing(self, ask, act, unchanged, alice, bob, asked):
        act(bob, asked, "accept")
        unchanged.begin()
        for person, other in ((alice, bob), (bob, alice)):
            again = ask(person, other)
            assert (again.status_code, again.json()["state"]) == (200, "accepted")
        unchanged()

    @pytest.mark.parametrize("end", ["decline", "end"])
    def test_may_begin_again_from_either_side(self, api, ask, act, alice, bob, asked, end):
        act(bob, asked, end)
        again = ask(bob, alice)
        assert (again.status_code, again.json()["id"]) == (201, asked)
        assert seen(api, bob) == [("outgoing", "pending")]
        assert seen(api, alice) == [("incoming", "pending")]

    def test_of_oneself_is_refused(self, ask, refusal, alice):
        refusal(ask(alice, alice), 400, "invalid")
        assert not Contact.objects.filter(requester=alice.id).exists()

    @pytest.mark.parametrize("body", REFUSED, ids=json.dumps)
    def test_wrongly_is_refused(self, api, refusal, alice, body):
        answer = api.post("contacts/", json.dumps(body).encode(), token=alice.token)
        refusal(answer, 400, "invalid")

    def test_ignores_unknown_fields(self, api, alice, bob):
        body = {"user_id": bob.id, "state": "accepted", "direction": "incoming"}
        made = api.post("contacts/", body, token=alice.token).json()
        assert (made["state"], made["direction"]) == ("pending", "outgoing")

    def test_at_once_by_both_makes_them_contacts_once(self, ask, together, alice, bob):
        def one(number):
            person, other = ((alice, bob), (bob, alice))[number % 2]
            return until_it_is_done(lambda: ask(person, other))

        answers = together(8, one)
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert are_contacts(alice.id, bob.id)
        # Once it was asked, and once accepted.
        assert [Profile.objects.get(pk=each.id).pos for each in (alice, bob)] == [2, 2]


class TestAnswering:
    @pytest.mark.parametrize(("answer", "state"), [("accept", "accepted"), ("decline", "declined")])
    def test_is_once(self, act, unchanged, alice, bob, asked, answer, state):
        told = act(bob, asked, answer)
        assert (told.status_code, told.json()["state"]) == (200, state)
        unchanged.begin()
        assert act(bob, asked, answer).json() == told.json()
        unchanged()
        assert are_contacts(alice.id, bob.id) is (answer == "accept")

    @pytest.mark.parametrize("answer", ["accept", "decline"])
    def test_is_for_who_was_asked(self, act, refusal, unchanged, alice, carol, asked, answer):
        unchanged.begin()
        refusal(act(alice, asked, answer), 403, "forbidden")
        told = refusal(act(carol, asked, answer), 404, "not_found")
        for nothing in (0, 10**9, 2**70):
            assert refusal(act(carol, nothing, answer), 404, "not_found") == told
        unchanged()

    @pytest.mark.parametrize("answer", ["accept", "decline"])
    def test_of_what_was_withdrawn_is_not_found(
        self, act, refusal, unchanged, alice, bob, asked, answer
    ):
        act(alice, asked, "end")
        unchanged.begin()
        refusal(act(bob, asked, answer), 404, "not_found")
        unchanged()

    @pytest.mark.parametrize(("first", "second"), [("accept", "decline"), ("decline", "accept")])
    def test_otherwise_than_before_is_refused(
        self, act, refusal, unchanged, bob, asked, first, second
    ):
        act(bob, asked, first)
        unchanged.begin()
        refusal(act(bob, asked, second), 409, "conflict")
        unchanged()


class TestEnding:
    @pytest.mark.parametrize("who", [0, 1])
    @pytest.mark.parametrize("before", [None, "accept", "decline"])
    def test_leaves_nothing_and_again_changes_nothing(
        self, api, act, unchanged, alice, bob, asked, who, before
    ):
        person = (alice, bob)[who]
        if before:
            act(bob, asked, before)
        assert act(person, asked, "end").status_code == 204
        assert (listed(api, alice), listed(api, bob)) == ([], [])
        assert not are_contacts(alice.id, bob.id)
        unchanged.begin()
        assert act(person, asked, "end").status_code == 204
        unchanged()

    def test_is_for_one_of_the_two(self, act, refusal, unchanged, carol, asked):
        unchanged.begin()
        refusal(act(carol, asked, "end"), 404, "not_found")
        unchanged()

    def test_only_of_what_it_is_thought_to_be(
        self, api, act, refusal, unchanged, alice, bob, asked
    ):
        act(bob, asked, "accept")
        unchanged.begin()
        path = f"contacts/{asked}/?state="
        refusal(api.send("DELETE", f"{path}pending", token=alice.token), 409, "conflict")
        refusal(api.send("DELETE", f"{path}declined", token=alice.token), 400, "invalid")
        unchanged()
        assert api.send("DELETE", f"{path}accepted", token=alice.token).status_code == 204

    @pytest.mark.parametrize("_", range(5))
    def test_and_accepting_at_once_is_one_of_them(self, api, act, together, alice, bob, asked, _):
        def one(number):
            if number:
                return until_it_is_done(lambda: act(bob, asked, "accept"))
            path = f"contacts/{asked}/?state=pending"
            return until_it_is_done(lambda: api.send("DELETE", path, token=alice.token))

        withdrawn, accepted = (answer.status_code for answer in together(2, one))
        assert (withdrawn, accepted) in {(204, 404), (409, 200)}
        assert are_contacts(alice.id, bob.id) is (accepted == 200)


class TestCatchingUp:
    def test_tells_what_there_is_now(self, api, ask, act, alice, bob, carol):
        first = ask(alice, bob).json()["id"]
        second = ask(carol, alice).json()["id"]
        act(bob, first, "accept")
        act(alice, second, "decline")
        api.post("blocks/", {"user_id": carol.id}, token=alice.token)
        api.post("blocks/", {"user_id": bob.id}, token=alice.token)
        api.send("DELETE", f"blocks/{carol.id}/", token=alice.token)

        def told(after):
            found = api.show(alice, f"me/changes/?after={after}")
            assert (found["pos"], found["complete"], found["more"]) == (8, True, False)
            return [
                (each["user_pos"], each.get("contact", each.get("block"))["user_id"], *_what(each))
                for each in found["events"]
            ]

        everything = [
            (4, carol.id, "incoming", "declined"),
            (6, bob.id, "outgoing", "removed"),
            (7, bob.id, False),
            (8, carol.id, True),
        ]
        for after in range(9):
            assert told(after) == [each for each in everything if each[0] > after]

    def test_of_too_much_is_not_complete(self, api, make_person, alice, monkeypatch):
        monkeypatch.setattr("messaging.queries.changes.shapes.MOST_CHANGES", 3)
        for _ in range(2):
            api.post("contacts/", {"user_id": make_person().id}, token=alice.token)
            api.post("blocks/", {"user_id": make_person().id}, token=alice.token)
        found = api.show(alice, "me/changes/?after=0")
        assert (found["events"], found["pos"], found["complete"]) == ([], 4, False)
        found = api.show(alice, "me/changes/?after=1")
        assert (len(found["events"]), found["complete"]) == (3, True)


def _what(frame):
    if block := frame.get("block"):
        return (block["is_lifted"],)
    return frame["contact"]["direction"], frame["contact"]["state"]


class TestTheList:
    def test_is_everything_once_in_pages(self, api, ask, make_person, alice):
        people = [make_person() for _ in range(7)]
        for number, person in enumerate(people):
            ask(*((alice, person), (person, alice))[number % 2])
        found, path = [], "contacts/?page_size=3"
        while path:
            page = api.show(alice, path)
            assert page.keys() == ContactPageOutput().fields.keys()
            found += [each["user_id"] for each in page["results"]]
            path = page["next"]
        assert found == [person.id for person in people]

    def test_can_be_of_a_state_and_a_direction(self, api, ask, act, make_person, alice):
        made = {}
        for direction in ("outgoing", "incoming"):
            for state in ("pending", "accepted", "declined"):
                other = make_person()
                asker, answerer = (alice, other) if direction == "outgoing" else (other, alice)
                contact = ask(asker, answerer).json()["id"]
                if state != "pending":
                    act(answerer, contact, {"accepted": "accept", "declined": "decline"}[state])
                made[direction, state] = contact

        def found(query):
            return {each["id"] for each in listed(api, alice, query)}

        for (direction, state), contact in made.items():
            if state != "declined":
                assert found(f"?direction={direction}&state={state}") == {contact}
        pending = {made["outgoing", "pending"], made["incoming", "pending"]}
        assert found("?state=pending") == pending
        outgoing = {made["outgoing", "pending"], made["outgoing", "accepted"]}
        assert found("?direction=outgoing") == outgoing

    @pytest.mark.parametrize("query", ["state=declined", "direction=up", "cursor=nonsense"])
    def test_knows_what_it_can_be_asked(self, api, refusal, alice, query):
        refusal(api.get(f"contacts/?{query}", token=alice.token), 400, "invalid")

    def test_needs_a_credential(self, api, refusal, asked):
        for method, path in (
            ("GET", ""),
            ("POST", ""),
            ("DELETE", f"{asked}/"),
            ("POST", f"{asked}/accept/"),
            ("POST", f"{asked}/decline/"),
        ):
            refusal(api.send(method, f"contacts/{path}"), 401, "not_authenticated")
