import pytest

from accounts.models import Session
from service_kit.testing import token_for

PATH = "/api/auth/logout/"

pytestmark = pytest.mark.django_db


class TestLogout:
    def test_ends_this_session(self, api, alice, refusal):
        answer = api.post(PATH, token=alice.access)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer["Cache-Control"] == "no-store"
        refusal(api.get("/api/auth/me/", token=alice.access), 401, "session_revoked")
        refused = api.post("/api/auth/refresh/", {"refresh": alice.refresh})
        refusal(refused, 401, "not_authenticated")

    def test_leaves_other_sessions_alone(self, api, alice, bob):
        login = {"username": "alice", "password": "correct horse battery"}
        other = api.post("/api/auth/login/", login).json()["access"]
        api.post(PATH, token=alice.access)
        assert api.get("/api/auth/me/", token=other).status_code == 200
        assert api.get("/api/auth/me/", token=bob.access).status_code == 200
        assert Session.objects.filter(ended_at=None).count() == 2

    def test_changes_nothing_the_second_time(self, api, alice):
        api.post(PATH, token=alice.access)
        ended_at = Session.objects.get().ended_at
        assert api.post(PATH, token=alice.access).status_code == 204
        assert Session.objects.get().ended_at == ended_at

    def test_refuses_a_stranger(self, api, alice, refusal):
        refusal(api.post(PATH), 401, "not_authenticated")
        refusal(api.post(PATH, token=token_for(alice.id)), 401, "not_authenticated")
        assert Session.objects.get().ended_at is None
