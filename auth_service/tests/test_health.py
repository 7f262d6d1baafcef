import pytest


class TestHealth:
    def test_is_live_without_any_store(self, api):
        answer = api.get("/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    @pytest.mark.django_db
    def test_is_ready_with_postgres(self, api):
        answer = api.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "checks": {"postgres": "ok", "clock": "ok"}}
