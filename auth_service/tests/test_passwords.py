import pytest

from accounts.models import Event, Session, User

PATH = "/api/auth/password/change/"
OLD, NEW = "correct horse battery", "wrong horse staple"
ASKED = {"current_password": OLD, "new_password": NEW}

pytestmark = pytest.mark.django_db


def log_in(api, password):
    return api.post("/api/auth/login/", {"username": "alice", "password": password})


class TestPasswordChange:
    def test_sets_another_password(self, api, alice, refusal):
        answer = api.post(PATH, ASKED, token=alice.access)
        assert (answer.status_code, answer.content) == (204, b"")
        refusal(log_in(api, OLD), 401, "not_authenticated")
        assert log_in(api, NEW).status_code == 200

    def test_ends_the_other_sessions(self, api, alice, bob, refusal):
        """Rule 10: and the other service is told of them, not of this one."""
        other = log_in(api, OLD).json()
        api.post(PATH, ASKED, token=alice.access)
        refusal(api.get("/api/auth/me/", token=other["access"]), 401, "session_revoked")
        assert api.get("/api/auth/me/", token=alice.access).status_code == 200
        assert api.post("/api/auth/refresh/", {"refresh": alice.refresh}).status_code == 200
        told = Event.objects.get().data
        assert [sid.replace("-", "") for sid in told["sids"]] == [other["refresh"][:32]]
        assert told["reason"] == "password_changed"
        assert Session.objects.filter(user_id=bob.id, ended_at=None).exists()

    def test_tells_nothing_where_there_are_no_others(self, api, alice):
        api.post(PATH, ASKED, token=alice.access)
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"current_password": NEW}, "current_password"),
            ({"current_password": OLD + " "}, "current_password"),
            ({"current_password": ""}, "current_password"),
            ({"new_password": "short12"}, "new_password"),
            ({"new_password": "x" * 129}, "new_password"),
            ({"new_password": "9071829364"}, "new_password"),
            ({"new_password": "iloveyou1"}, "new_password"),
            ({"new_password": "alice@example.com"}, "new_password"),
            ({"new_password": None}, "new_password"),
        ],
    )
    def test_refuses_and_changes_nothing(self, api, alice, refusal, change, field):
        log_in(api, OLD)
        before = User.objects.values().get()
        told = refusal(api.post(PATH, ASKED | change, token=alice.access), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]
        assert User.objects.values().get() == before
        assert Session.objects.filter(ended_at=None).count() == 2

    def test_is_for_the_logged_in(self, api, alice, refusal):
        refusal(api.post(PATH, ASKED), 401, "not_authenticated")
        api.post("/api/auth/logout/", token=alice.access)
        refusal(api.post(PATH, ASKED, token=alice.access), 401, "session_revoked")
