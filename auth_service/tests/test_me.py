import pytest

from accounts.models import Session, User

PATH = "/api/auth/me/"

pytestmark = pytest.mark.django_db


class TestMe:
    def test_shows_the_caller(self, api, alice, bob):
        answer = api.get(PATH, token=alice.access)
        assert answer.status_code == 200
        assert (answer.json()["id"], answer.json()["email"]) == (alice.id, "alice@example.com")
        assert answer["Cache-Control"] == "no-store"

    def test_asks_the_database_once(self, api, alice, django_assert_num_queries):
        with django_assert_num_queries(1):
            api.get(PATH, token=alice.access)

    @pytest.mark.parametrize("token", [None, "", "x", "a.b.c"])
    def test_refuses_a_stranger(self, api, alice, refusal, token):
        refusal(api.get(PATH, token=token), 401, "not_authenticated")
        refusal(api.patch(PATH, {"display_name": "x"}, token=token), 401, "not_authenticated")
        assert User.objects.get().display_name == "alice"

    def test_refuses_a_deactivated_person(self, api, alice, refusal):
        User.objects.update(is_active=False)
        refusal(api.get(PATH, token=alice.access), 401, "session_revoked")

    def test_refuses_a_session_that_is_gone(self, api, alice, refusal):
        Session.objects.all().delete()
        refusal(api.get(PATH, token=alice.access), 401, "session_revoked")


class TestChangeMe:
    def test_changes_the_display_name(self, api, alice, bob):
        answer = api.patch(PATH, {"display_name": "  Alice 🦊 Ünal "}, token=alice.access)
        assert answer.status_code == 200
        assert answer.json()["display_name"] == "Alice 🦊 Ünal"
        assert api.get(PATH, token=alice.access).json() == answer.json()
        assert User.objects.get(pk=bob.id).display_name == "bob"

    @pytest.mark.parametrize("value", ["", "   ", "x" * 65, "a\nb", "\x07", None, 5, True, ["a"]])
    def test_refuses_a_malformed_name(self, api, alice, refusal, value):
        answer = api.patch(PATH, {"display_name": value}, token=alice.access)
        told = refusal(answer, 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["display_name"]
        assert User.objects.get().display_name == "alice"

    def test_changes_nothing_else(self, api, alice):
        before = User.objects.values().get()
        asked = {
            "username": "root",
            "email": "r@x.com",
            "is_active": False,
            "id": 9,
            "password": "p",
        }
        answer = api.patch(PATH, asked | {"is_staff": True}, token=alice.access)
        assert answer.status_code == 200
        assert User.objects.values().get() == before

    def test_refuses_a_session_that_has_ended(self, api, alice, refusal):
        api.post("/api/auth/logout/", token=alice.access)
        answer = api.patch(PATH, {"display_name": "x"}, token=alice.access)
        refusal(answer, 401, "session_revoked")
        assert User.objects.get().display_name == "alice"
