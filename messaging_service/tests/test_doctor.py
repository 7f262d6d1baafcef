"""`manage.py doctor` as an operator runs it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from messaging.models import Erasure
from messaging_service.tests.servers import AuthService, messaging_service

Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def doctor(auth_service: AuthService, tmp_path: Path) -> Doctor:
    """Run it beside the real auth_service: its exit code, and what it prints."""

    def run(**settings: str) -> tuple[int, str]:
        own = {"LEAVING_SECONDS": "5", "AUTH_API_URL": auth_service.url} | settings
        process = messaging_service(tmp_path, **own).manage("doctor")
        process.start()
        return process.child.wait(30), process.log.read_text()

    # What other tests have left is not waited for.
    Erasure.objects.filter(done_at=None).update(done_at=timezone.now())
    return run


def test_is_content_with_what_the_tests_run_on(doctor: Doctor) -> None:
    code, printed = doctor()
    assert (code, "FAIL" in printed) == (0, False), printed
    assert "ok    keys        one, from the settings" in printed
    assert "ok    auth        answers, and takes INTERNAL_SECRET" in printed
    assert "ok    migrations" in printed


def test_finds_no_key_no_auth_service_and_no_redis_in_one_go(doctor: Doctor) -> None:
    away = {"AUTH_API_URL": "http://127.0.0.1:9", "REDIS_URL": "redis://127.0.0.1:1/0"}
    code, printed = doctor(JWT_PUBLIC_KEY="", **away)
    assert code == 1
    assert printed.count("FAIL") == 3
    assert "FAIL  redis       Redis does not answer" in printed
    assert "FAIL  keys        There is no key to verify tokens with" in printed
    assert "→ Start auth_service, and see to AUTH_API_URL" in printed
    assert "FAIL  auth        Nothing that can be understood answers at AUTH_API_URL" in printed


def test_finds_an_address_that_is_none_and_a_key_that_is_none(doctor: Doctor) -> None:
    code, printed = doctor(JWT_PUBLIC_KEY="no key", REDIS_URL="foo://bar")
    assert code == 1
    assert "FAIL  redis       REDIS_URL is not the address of a Redis." in printed
    assert "→ Set it to redis://" in printed
    assert "FAIL  keys        JWT_PUBLIC_KEY is not a public key in PEM." in printed
    assert "ok    migrations" in printed
    assert "Traceback" not in printed


def test_finds_that_the_two_services_hold_different_secrets(doctor: Doctor) -> None:
    code, printed = doctor(INTERNAL_SECRET="another" * 5)
    assert code == 1
    assert printed.count("FAIL") == 1
    assert "FAIL  auth        auth_service takes another INTERNAL_SECRET" in printed
    assert "→ Set the same in both" in printed
    assert "anotheranother" not in printed


def test_finds_somebody_else_where_auth_service_should_be(
    doctor: Doctor, auth_service: AuthService
) -> None:
    code, printed = doctor(AUTH_API_URL=f"{auth_service.url}/api")
    assert code == 1
    assert "FAIL  auth        Who answers at AUTH_API_URL says 404." in printed
    assert "→ Let it lead to the other service itself" in printed


@pytest.mark.parametrize("minutes", [14, 16])
def test_finds_erasures_that_do_not_end(doctor: Doctor, minutes: int) -> None:
    now = timezone.now()
    erased = {"at": now - timedelta(minutes=minutes), "due_at": now + timedelta(hours=1)}
    erasure = Erasure.objects.create(user_id=uuid4().hex, **erased)
    try:
        code, printed = doctor()
    finally:
        erasure.delete()
    told = f"1 erasures wait, the oldest for {minutes} min"
    if minutes < 15:
        assert (code, f"ok    erasures    {told}" in printed) == (0, True), printed
    else:
        assert (code, f"FAIL  erasures    {told}." in printed) == (1, True), printed
        assert "→ Look for `somebody cannot be erased now`" in printed


def test_names_a_setting_without_which_nothing_starts(doctor: Doctor) -> None:
    code, printed = doctor(SECRET_KEY="change-me")
    assert code == 1
    assert printed.splitlines()[0] == "SECRET_KEY is a placeholder: set a value of your own."
    assert "→ See the environment" in printed
