"""What tests of the HTTP door ask again and again."""

import pytest

from messaging.actions.sessions import ended, ended_sessions


@pytest.fixture(autouse=True)
def _following(monkeypatch):
    """As in a process that follows who has ended his session: no request asks for it."""
    monkeypatch.setattr(ended, "FRESH_SECONDS", 3_600.0)
    ended_sessions().look()


@pytest.fixture
def send(api):
    """Send to a room; returns the message."""

    def send(person, room, content="x", **body):
        path = f"rooms/{room}/messages/"
        return api.post(path, {"content": content} | body, token=person.token).json()

    return send


@pytest.fixture
def show(api):
    return api.show
