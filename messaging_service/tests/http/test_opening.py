"""Opening the direct room with somebody: three ways to ask, one room."""

import json

import orjson
import pytest

from messaging.broadcast import unseal
from messaging.events import user_channel
from messaging.models import Member, Profile, Room
from messaging_service.tests.telling import listen
from service_kit.testing import token_for

FORMS = {
    "a pair": lambda caller, other: {"participant_a": caller.id, "participant_b": other.id},
    "the pair turned": lambda caller, other: {
        "participant_a": other.id,
        "participant_b": caller.id,
    },
    "numbers": lambda caller, other: {
        "participant_a": int(caller.id),
        "participant_b": int(other.id),
    },
    "participants": lambda caller, other: {"room_type": "direct", "participants": [other.id]},
    "a number": lambda caller, other: {"participants": [int(other.id)]},
    "a username": lambda caller, other: {"username": other.username},
    "a username in capitals": lambda caller, other: {"username": other.username.upper()},
}


@pytest.fixture
def ask(api):
    """Ask to open a room; returns the answer."""
    return lambda person, body: api.post("rooms/", body, token=person.token)


@pytest.fixture
def nothing_opened(refusal, alice, bob, carol):
    """Assert that an answer is a refusal, and that there is no new room, member or person."""
    before = [kind.objects.count() for kind in (Room, Member, Profile)]

    def read(answer, status, code):
        told = refusal(answer, status, code)
        assert [kind.objects.count() for kind in (Room, Member, Profile)] == before
        return told

    return read


@pytest.fixture
def stranger(auth_service, settings, make_person):
    """The name and id of somebody auth_service knows and messaging has never seen."""
    settings.AUTH_API_URL = auth_service.url
    username = make_person("dave", known=False).username
    return username, auth_service.register(username)


class TestOpenRoom:
    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
    def test_makes_it_once_whichever_way_it_is_asked_for(self, api, ask, alice, bob, form):
        first = ask(alice, form(alice, bob))
        assert first.status_code == 201, first.content
        opened = first.json()
        assert opened.pop("created") is True
        assert opened == api.get(f"rooms/{opened['id']}/", token=alice.token).json()
        for body in (each(alice, bob) for each in FORMS.values()):
            again = ask(alice, body)
            assert (again.status_code, again.json()) == (200, opened | {"created": False})

    def test_gives_the_other_the_same_room(self, ask, alice, bob):
        first, second = (
            ask(alice, {"username": bob.username}),
            ask(bob, {"participants": [alice.id]}),
        )
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["id"] == second.json()["id"]
        assert second.json()["created_by"] == alice.id

    def test_is_position_0_of_both(self, ask, alice, bob):
        opened = ask(alice, {"username": bob.username}).json()
        assert (opened["seq"], opened["pos"]) == (0, 0)
        assert list(
            Member.objects.filter(room_id=opened["id"])
            .order_by("user_id")
            .values_list("user_id", "visible_from_seq", "joined_pos", "left_pos", "last_read_seq")
        ) == [(alice.id, 1, 0, None, 0), (bob.id, 1, 0, None, 0)]

    def test_is_told_to_both(self, ask, alice, bob):
        with listen(user_channel(alice.id)) as first, listen(user_channel(bob.id)) as second:
            opened = ask(alice, {"username": bob.username}).json()
            for person, hear in ((alice, first), (bob, second)):
                envelope = unseal(hear())
                told = orjson.loads(envelope.text)
                assert (envelope.kind, envelope.pos) == ("room.added", 1)
                expected = {"type": "room.added", "user_pos": 1, "room": opened["id"]}
                for name in ("created", "unread_count", "last_read_seq", "role"):
                    opened.pop(name, None)
                assert told == opened | expected
                mine = Member.objects.get(room_id=opened["id"], user_id=person.id)
                assert (mine.user_pos, mine.added_user_pos, mine.pos) == (1, 1, 0)
                assert Profile.objects.get(pk=person.id).pos == 1

    def test_is_told_once(self, ask, alice, bob):
        ask(alice, {"username": bob.username})
        ask(bob, {"username": alice.username})
        assert [Profile.objects.get(pk=each.id).pos for each in (alice, bob)] == [1, 1]

    def test_makes_one_room_of_forty_requests_at_once(self, ask, alice, bob, together):
        def one(number):
            caller, other = ((alice, bob), (bob, alice))[number % 2]
            answer = ask(caller, {"participants": [other.id]})
            return answer.status_code, answer.json()["id"], answer.json()["created"]

        answers = together(40, one)
        assert len({room_id for _, room_id, _ in answers}) == 1
        assert sorted((status, created) for status, _, created in answers) == [
            *[(200, False)] * 39,
            (201, True),
        ]
        assert Room.objects.filter(members__user_id=alice.id).count() == 1
        assert Member.objects.filter(user_id__in=[alice.id, bob.id]).count() == 2

    def test_ignores_unknown_fields(self, ask, alice, bob):
        body = {"username": bob.username, "created_by": "1", "seq": 99, "shape": {"round": True}}
        opened = ask(alice, body).json()
        assert (opened["seq"], opened["created_by"]) == (0, alice.id)

    def test_is_for_a_caller_messaging_has_never_seen(self, ask, make_person, bob):
        newcomer = make_person("newcomer", known=False)
        opened = ask(newcomer, {"username": bob.username})
        assert opened.status_code == 201
        assert Profile.objects.get(pk=newcomer.id).username == newcomer.username


class TestRefusedOpening:
    @pytest.mark.parametrize(
        "body",
        [
            lambda me: {"participant_a": me.id, "participant_b": me.id},
            lambda me: {"participants": [me.id]},
            lambda me: {"participants": [int(me.id)]},
            lambda me: {"username": me.username},
            lambda me: {"username": me.username.upper()},
        ],
    )
    def test_with_oneself_is_400(self, ask, nothing_opened, alice, body):
        nothing_opened(ask(alice, body(alice)), 400, "invalid")

    def test_of_two_others_is_refused(self, ask, alice, bob, carol, nothing_opened):
        for pair in ((bob.id, carol.id), (bob.id, bob.id)):
            body = {"participant_a": pair[0], "participant_b": pair[1]}
            nothing_opened(ask(alice, body), 403, "forbidden")

    @pytest.mark.parametrize(
        "body",
        [
            *({}, [], "bob", 1, None, {"room_type": "direct"}),
            *({"participant_a": "1"}, {"participant_b": "1"}, {"participants": []}),
            *({"participants": ["1", "2"]}, {"participants": "1"}, {"participants": [[]]}),
            *({"participants": None}, {"participants": {}}, {"participants": [None]}),
            *(
                {"participants": [value]}
                for value in ("", " ", "a b", "\u0661", 1.5, True, "1,2", "x" * 65)
            ),
            *({"username": value} for value in ("", " ", None, [], {}, True, "x" * 65)),
            {"participant_a": "1", "participant_b": "2", "username": "bob"},
            {"participants": ["2"], "username": "bob"},
            *(
                {"username": "bob", "room_type": kind}
                for kind in ("group", "ai", "x", "", None, [])
            ),
        ],
    )
    def test_of_malformed_input_is_400(self, ask, alice, nothing_opened, body):
        nothing_opened(ask(alice, json.dumps(body).encode()), 400, "invalid")


class TestAsManyAsOneMayOpen:
    @pytest.fixture(autouse=True)
    def _two(self, settings):
        settings.LIMITS = settings.LIMITS | {"ROOMS_PER_USER": 2}

    def test_and_one_more_is_409(self, ask, alice, bob, carol, make_person):
        dora = make_person("dora")
        opened = [ask(alice, {"participants": [each.id]}) for each in (bob, carol)]
        assert [answer.status_code for answer in opened] == [201, 201]
        before = [kind.objects.count() for kind in (Room, Member)]
        positions = [*Profile.objects.filter(pk__in=[alice.id, dora.id]).values_list("pk", "pos")]
        assert ask(alice, {"participants": [dora.id]}).json()["code"] == "conflict"
        assert [kind.objects.count() for kind in (Room, Member)] == before
        after = [*Profile.objects.filter(pk__in=[alice.id, dora.id]).values_list("pk", "pos")]
        assert after == positions
        # One that there is, and one that somebody else opens, are none too many.
        assert ask(alice, {"participants": [bob.id]}).status_code == 200
        assert ask(dora, {"participants": [alice.id]}).status_code == 201

    def test_are_no_more_if_they_are_asked_for_at_once(self, ask, alice, make_person, together):
        others = [make_person(f"other{number}") for number in range(6)]
        answers = together(6, lambda number: ask(alice, {"participants": [others[number].id]}))
        assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 4
        assert Room.objects.filter(created_by=alice.id).count() == 2


class TestNeverSeenPerson:
    @pytest.mark.parametrize("form", ["id", "username"])
    def test_is_asked_for_once(self, ask, alice, stranger, settings, form):
        username, user_id = stranger
        body = {"participants": [user_id]} if form == "id" else {"username": username.upper()}
        first = ask(alice, body)
        assert first.status_code == 201, first.content
        [shown] = [each for each in first.json()["participants"] if each["user_id"] == user_id]
        assert shown | {"joined_at": None} == {
            "user_id": user_id,
            "username": username,
            "display_name": username.title(),
            "avatar": None,
            "role": "member",
            "joined_at": None,
            "last_read_seq": 0,
            "muted_until": None,
        }
        settings.AUTH_API_URL = "http://127.0.0.1:9"
        assert ask(alice, body).status_code == 200

    def test_is_404_if_nobody_knows_him(self, ask, alice, stranger, nothing_opened):
        for body in (
            *({"username": "nobody-at-all"}, {"username": "é"}, {"username": "a,b"}),
            *({"participants": [value]} for value in ("999999", "0", "-1", "abc", "9" * 64, "_")),
            {"username": f"{stranger[0]},nobody-at-all"},
            *({"participants": [value + stranger[1]]} for value in ("0", "00", "-")),
            {"username": "a&ids=1"},
        ):
            nothing_opened(ask(alice, body), 404, "not_found")

    def test_is_404_once_his_account_is_closed(
        self, ask, alice, stranger, nothing_opened, auth_service
    ):
        auth_service.deactivate(stranger[1])
        nothing_opened(ask(alice, {"participants": [stranger[1]]}), 404, "not_found")
        nothing_opened(ask(alice, {"username": stranger[0]}), 404, "not_found")

    def test_is_503_while_auth_service_is_away(self, ask, alice, nothing_opened):
        for body in ({"participants": ["987654321"]}, {"username": "never-seen"}):
            answer = ask(alice, body)
            nothing_opened(answer, 503, "unavailable")
            assert int(answer["Retry-After"]) >= 1


class TestWithoutAuthService:
    def test_everything_else_works(self, api, connect, ask, alice, bob):
        # AUTH_API_URL of these tests leads nowhere.
        opened = ask(alice, {"username": bob.username})
        assert opened.status_code == 201
        room = opened.json()["id"]
        renamed = token_for(alice.id, username="alice-b", name="Alice B.")
        path = f"rooms/{room}/messages/"
        assert api.post(path, {"content": "x"}, token=renamed).status_code == 201
        assert api.get(path, token=bob.token).json()["results"][0]["sender_name"] == "Alice B."
        assert api.get("rooms/", token=bob.token).status_code == 200
        assert api.post("ws-ticket/", token=bob.token).status_code == 200
        assert connect(bob, room).next()["type"] == "ready"
