"""What tests of the HTTP door ask again and again."""

import pytest


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
