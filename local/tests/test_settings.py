"""docs/settings.md and shared/configs/env/ beside what the services really read."""

from __future__ import annotations

import pytest

from local.services import ROOT
from local.settings_reference import FILE, REQUIRED, SERVICES, groups, read, text

# Contract §7, and one of each limit of §6. What §6 says of members of a room and of mentions has
# none: there is no room that people are added to, and nobody is mentioned.
SHARED = {
    *("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_URL"),
    *("JWT_ALGORITHM", "JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE"),
    *("ALLOWED_HOSTS", "ALLOWED_ORIGINS"),
    *("LIMIT_JSON_BYTES", "LIMIT_JSON_DEPTH"),
}
OWN = {
    "auth_service": {
        "ACCESS_TOKEN_SECONDS",
        *("LIMIT_LOGINS_PER_MINUTE", "LIMIT_LOGINS_PER_ADDRESS"),
        *("LIMIT_UPLOAD_BYTES", "LIMIT_IMAGE_PIXELS"),
    },
    "messaging_service": {
        *("AUTH_API_URL", "JWT_PUBLIC_KEY", "DIRECT_MESSAGES"),
        *("LIMIT_MESSAGE_LENGTH", "LIMIT_MESSAGE_BYTES", "LIMIT_HISTORY_PAGE"),
        *("LIMIT_MESSAGES_PER_SECOND", "LIMIT_MESSAGE_BURST"),
        *("LIMIT_COMMANDS_PER_SECOND", "LIMIT_COMMAND_BURST", "LIMIT_SOCKETS_PER_USER"),
        "LIMIT_ROOMS_PER_USER",
    },
}
# Of §7, and read by nothing: there is no worker to hand anything to. Both files say so.
UNREAD = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")


def written(service: str) -> dict[str, str]:
    return {name: value for group in groups(service) for name, value in group.values.items()}


class TestReference:
    def test_is_what_the_code_says(self) -> None:
        assert FILE.read_text() == text(), "run: .venv/bin/python -m local.settings_reference"

    @pytest.mark.parametrize("service", SERVICES)
    def test_leaves_out_no_setting_of_the_contract(self, service: str) -> None:
        assert SHARED | OWN[service] <= read(service).keys()

    @pytest.mark.parametrize("service", SERVICES)
    def test_says_of_which_it_reads_none(self, service: str) -> None:
        assert read(service).keys().isdisjoint(UNREAD)
        said = (ROOT / "shared" / "configs" / "env" / f"{service}.env").read_text()
        assert [name for name in UNREAD if name not in said] == []


@pytest.mark.parametrize("service", SERVICES)
class TestFiles:
    def test_name_every_setting_and_no_other(self, service: str) -> None:
        assert written(service).keys() == read(service).keys()

    def test_name_each_once_and_say_something_of_it(self, service: str) -> None:
        named = [name for group in groups(service) for name in group.values]
        assert len(named) == len(set(named))
        assert all(group.comment.endswith(".") for group in groups(service))

    def test_hold_whatever_a_service_cannot_start_without(self, service: str) -> None:
        needed = {name for name, left_out in read(service).items() if left_out == REQUIRED}
        assert [name for name in needed if not written(service)[name]] == []

    def test_change_no_limit_from_what_the_code_says(self, service: str) -> None:
        for name, left_out in read(service).items():
            if name.startswith("LIMIT_"):
                assert left_out == f"`{written(service)[name]}`"
