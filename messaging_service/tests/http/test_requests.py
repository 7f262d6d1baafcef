"""What is the same for every path: who is calling, which method, which request."""

import re

import pytest
from jwt import decode

from messaging.models import Member, Message, Profile, Room
from service_kit.testing import sign, token_for

PATHS = {
    "rooms/": "GET, POST",
    "rooms/1/": "GET",
    "rooms/1/messages/": "GET, POST",
    "ws-ticket/": "POST",
}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"}


def counted():
    return [kind.objects.count() for kind in (Room, Member, Message, Profile)]


class TestCredentials:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "expired", "for another service"])
    def test_are_needed_everywhere(self, api, refusal, path, token):
        before, code = counted(), "not_authenticated"
        if token == "expired":
            token, code = token_for("987654", expires_in=-31), "token_expired"
        if token == "for another service":
            token = token_for("987654", audience="auth_service")
        for method in PATHS[path].split(", "):
            answer = api.send(method, path, {"content": "x"}, token=token)
            refusal(answer, 401, code)
            assert answer["WWW-Authenticate"] == "Bearer"
        assert counted() == before

    def test_of_the_query_are_none(self, api, refusal, alice):
        refusal(api.get(f"rooms/?token={alice.token}"), 401, "not_authenticated")

    def test_let_messaging_know_the_names_of_today(self, api, make_person):
        person = make_person("new", known=False)
        assert api.get("rooms/", token=person.token).status_code == 200
        assert Profile.objects.get(pk=person.id).display_name == "New"
        renamed = token_for(person.id, username="newer", name="Newer")
        assert api.get("rooms/", token=renamed).status_code == 200
        assert Profile.objects.get(pk=person.id).display_name == "Newer"

    @pytest.mark.parametrize("name", ["x" * 255, "名" * 150, "x", "'; DROP TABLE profiles --"])
    def test_may_name_people_in_any_way(self, api, make_person, name):
        person = make_person(known=False)
        token = token_for(person.id, username=name, name=name)
        assert api.get("rooms/", token=token).status_code == 200
        kept = Profile.objects.get(pk=person.id)
        assert (kept.username, kept.display_name) == (name[:64], name[:128])

    def test_may_hold_a_name_that_is_empty(self, api, make_person):
        person = make_person(known=False)
        claims = {"name": ""}
        token = sign(decode(person.token, options={"verify_signature": False}) | claims)
        assert api.get("rooms/", token=token).status_code == 200
        assert Profile.objects.get(pk=person.id).display_name == ""

    def test_for_a_user_id_that_cannot_be_kept_are_refused(self, api, refusal):
        before = counted()
        refusal(api.get("rooms/", token=token_for("x" * 65)), 401, "not_authenticated")
        assert counted() == before


class TestMethods:
    @pytest.mark.parametrize("path", PATHS)
    def test_that_are_not_there_are_405_and_name_those_that_are(self, api, refusal, alice, path):
        allowed = PATHS[path].split(", ")
        for method in sorted(METHODS - set(allowed) - {"HEAD"}):
            answer = api.send(method, path, {}, token=alice.token)
            refusal(answer, 405, "method_not_allowed")
            assert set(answer["Allow"].split(", ")) <= {*allowed, "HEAD", "OPTIONS"}
            assert set(answer["Allow"].split(", ")) >= set(allowed)

    def test_tell_a_stranger_nothing_of_a_room(self, api, refusal, carol, room):
        for method in ("PUT", "PATCH", "DELETE"):
            told = [
                refusal(
                    api.send(method, f"rooms/{n}/", token=carol.token), 405, "method_not_allowed"
                )
                for n in (room, 999_999_999)
            ]
            assert told[0] == told[1]


class TestUnknownPaths:
    @pytest.mark.parametrize(
        "path",
        [
            *("nothing/", "rooms", "rooms/1", "rooms/1/messages", "rooms/1/nothing/", "rooms//"),
            *("/", "/api/", "/internal/users/", "/admin/", "/api/chat/rooms/1/messages/x/"),
            *("/%ff%fe", "/api/chat/rooms/%2e%2e/", "/health/", "/api/schema/"),
        ],
    )
    def test_are_404(self, api, refusal, alice, path):
        refusal(api.get(path, token=alice.token), 404, "not_found")


class TestRequestId:
    def test_of_the_client_comes_back(self, api, alice):
        answer = api.send("GET", "rooms/", token=alice.token, **{"X-Request-ID": "abc-123"})
        assert answer["X-Request-ID"] == "abc-123"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "<script>"])
    def test_is_replaced_if_it_is_none(self, api, alice, given):
        answer = api.send("GET", "rooms/", token=alice.token, **{"X-Request-ID": given})
        assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])

    def test_comes_with_a_refusal_too(self, api):
        assert re.fullmatch("[0-9a-f]{32}", api.get("rooms/")["X-Request-ID"])


class TestAnswers:
    @pytest.mark.parametrize("path", ["rooms/", "rooms/1/", "nothing/", "/health/live"])
    def test_are_kept_by_nobody_on_the_way(self, api, alice, path):
        for token in (alice.token, None):
            assert api.get(path, token=token)["Cache-Control"] == "no-store"


class TestHealth:
    def test_is_told_for_each_store(self, api):
        assert api.get("/health/live").status_code == 200
        told = api.get("/health/ready")
        checks = dict.fromkeys(("postgres", "redis", "keys", "clock"), "ok")
        assert told.json() == {"status": "ok", "checks": checks}
