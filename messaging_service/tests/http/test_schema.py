"""The OpenAPI document is what is committed, and what is answered."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from messaging.http import documentation
from messaging.http.urls import urlpatterns
from messaging_service.tests.people import document as openapi
from messaging_service.tests.test_doors import MESSAGE_FIELDS

COMMITTED = Path(__file__).resolve().parent.parent.parent / "schema.yml"


@pytest.fixture(scope="module")
def document():
    return openapi().document


class TestSchema:
    def test_is_what_is_committed(self):
        made = StringIO()
        call_command("spectacular", "--validate", "--fail-on-warn", stdout=made)
        assert made.getvalue() == COMMITTED.read_text(), "run: manage.py spectacular"

    def test_names_every_path(self, document):
        routes = {
            re.sub(r"<\w+:(\w+)>", r"{\1}", f"/api/chat/{each.pattern}") for each in urlpatterns
        }
        assert routes == document["paths"].keys()

    def test_names_the_credential_of_every_operation(self, document):
        operations = [each for methods in document["paths"].values() for each in methods.values()]
        guards = [{"bearer": []}, {"cookie": []}]
        assert all(operation["security"] == guards for operation in operations)

    def test_speaks_no_older_openapi(self):
        # OpenAPI 3.1 says null as a type, and has no such word.
        assert "nullable" not in COMMITTED.read_text()

    def test_names_what_pages_are_asked_for_with(self, document):
        def names(path):
            parameters = document["paths"][path]["get"]["parameters"]
            return {each["name"] for each in parameters if each["in"] == "query"}

        assert names("/api/chat/rooms/") == {"cursor", "page_size"}
        history = {"before", "after", "around", "limit"}
        assert names("/api/chat/rooms/{room_id}/messages/") == history
        assert names("/api/chat/messages/") == history | {"room", "ids"}

    def test_shows_valid_examples_of_every_body(self):
        for _, content in openapi().bodies():
            for example in content.get("examples", {}).values():
                openapi().validate(content["schema"], openapi().resolve(example)["value"])

    def test_describes_what_is_answered(self, api, alice, bob, carol, document):
        made = api.post("rooms/", {"username": bob.username}, token=alice.token).json()["id"]
        sending = {"content": "x", "client_id": "a"}
        edited = api.post("messages/", {"room": made, "content": "x"}, token=alice.token).json()
        api.post("messages/", {"room": made, "content": "x"}, token=bob.token)
        read = api.post("reads/", {"room": made, "seq": 1}, token=alice.token).json()
        ids = {"room_id": made, "message_id": edited["id"], "marker_id": read["id"]}
        for method, path, body, status in [
            ("POST", "rooms/", {"participants": [carol.id]}, 201),
            ("POST", "rooms/", {"username": bob.username}, 200),
            ("POST", "rooms/", {"participants": [alice.id]}, 400),
            ("POST", "rooms/{room_id}/messages/", sending, 201),
            ("POST", "rooms/{room_id}/messages/", sending, 200),
            ("POST", "rooms/{room_id}/messages/", sending | {"content": "y"}, 409),
            ("POST", "rooms/{room_id}/messages/", {}, 400),
            ("POST", "messages/", sending | {"room": made}, 200),
            ("GET", "messages/?room={room_id}", None, 200),
            ("GET", "messages/?ids={message_id}", None, 200),
            ("GET", "messages/", None, 400),
            *[
                (method, f"{below}messages/{{message_id}}/", {"content": "y"}, 200)
                for method in ("GET", "PUT", "PATCH")
                for below in ("", "rooms/{room_id}/")
            ],
            ("GET", "rooms/", None, 200),
            ("GET", "rooms/{room_id}/", None, 200),
            ("GET", "rooms/{room_id}/messages/", None, 200),
            ("GET", "rooms/{room_id}/changes/?after=0", None, 200),
            ("GET", "rooms/{room_id}/changes/", None, 400),
            ("POST", "changes/", {"rooms": {str(made): 0, "1000000000": 0}}, 200),
            ("GET", "me/changes/?after=0", None, 200),
            ("GET", "unread/", None, 200),
            ("GET", "reads/", None, 200),
            ("GET", "reads/?room={room_id}", None, 200),
            ("GET", "reads/{marker_id}/", None, 200),
            ("POST", "reads/", {"message": edited["id"]}, 200),
            ("POST", "reads/", {"message": 0}, 404),
            ("GET", f"profiles/?user_ids={bob.id}", None, 200),
            ("POST", "ws-ticket/", None, 200),
        ]:
            answer = api.send(method, path.format(**ids), body, token=alice.token)
            assert answer.status_code == status, answer.content
            operation = document["paths"][f"/api/chat/{path.partition('?')[0]}"][method.lower()]
            told = openapi().resolve(operation["responses"][str(status)])
            [(kind, content)] = told["content"].items()
            assert answer["Content-Type"] == kind
            openapi().validate(content["schema"], answer.json())


class TestShapes:
    """The validator lets unknown fields pass, so the names are compared by themselves."""

    def test_have_the_fields_of_real_answers(self, api, alice, bob):
        opened = api.post("rooms/", {"username": bob.username}, token=alice.token).json()
        path = f"rooms/{opened['id']}/messages/"
        first, again = (
            api.post(path, {"content": "x", "client_id": "a"}, token=alice.token) for _ in range(2)
        )
        page = api.get(path, token=alice.token).json()
        inbox = api.get("rooms/", token=alice.token).json()
        api.post(path, {"content": "x"}, token=bob.token)
        unread = api.get("unread/", token=alice.token).json()
        reads = api.get("reads/", token=alice.token).json()
        profiles = api.get(f"profiles/?user_ids={bob.id}", token=alice.token).json()
        for shape, answer in {
            "OpenedRoomOutput": opened,
            "RoomOutput": inbox["results"][0],
            "RoomPageOutput": inbox,
            "ParticipantOutput": opened["participants"][0],
            "MessageOutput": again.json(),
            "HistoryOutput": page,
            "ChangesOutput": api.get(
                f"rooms/{opened['id']}/changes/?after=0", token=alice.token
            ).json(),
            "RoomsChangesOutput": api.post("changes/", {"rooms": {}}, token=alice.token).json(),
            "UnreadOutput": unread,
            "UnreadRoomOutput": unread["rooms"][0],
            "MarkerPageOutput": reads,
            "MarkerOutput": reads["results"][0],
            "ProfilesOutput": profiles,
            "ProfileOutput": profiles["results"][0],
            "TicketOutput": api.post("ws-ticket/", token=alice.token).json(),
        }.items():
            assert getattr(documentation, shape)().fields.keys() == answer.keys(), shape
        assert first.json().keys() == page["results"][0].keys() == MESSAGE_FIELDS

    def test_have_the_fields_of_real_refusals(self, api, alice, room, document):
        refused = api.post(f"rooms/{room}/messages/", {}, token=alice.token).json()
        shapes = document["components"]["schemas"]
        assert shapes["Problem"]["properties"].keys() == refused.keys()
        assert shapes["FieldError"]["properties"].keys() == refused["errors"][0].keys()
