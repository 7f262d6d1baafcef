"""`manage.py doctor` as an operator runs it."""

from pathlib import Path

from messaging_service.tests.servers import messaging_service


def doctor(folder: Path, **settings: str) -> tuple[int, str]:
    """Its exit code, and what it prints."""
    process = messaging_service(folder, LEAVING_SECONDS="5", **settings).manage("doctor")
    process.start()
    return process.child.wait(30), process.log.read_text()


def test_is_content_with_what_the_tests_run_on(tmp_path: Path) -> None:
    code, printed = doctor(tmp_path)
    assert (code, "FAIL" in printed) == (0, False), printed
    assert "ok    keys        one, from the settings" in printed
    assert "ok    migrations" in printed


def test_finds_no_key_and_no_redis_in_one_go(tmp_path: Path) -> None:
    code, printed = doctor(tmp_path, JWT_PUBLIC_KEY="", REDIS_URL="redis://127.0.0.1:1/0")
    assert code == 1
    assert printed.count("FAIL") == 2
    assert "FAIL  redis       Redis does not answer" in printed
    assert "FAIL  keys        There is no key to verify tokens with" in printed
    assert "→ Start auth_service, and see to AUTH_API_URL" in printed


def test_finds_an_address_that_is_none_and_a_key_that_is_none(tmp_path: Path) -> None:
    code, printed = doctor(tmp_path, JWT_PUBLIC_KEY="no key", REDIS_URL="foo://bar")
    assert code == 1
    assert "FAIL  redis       REDIS_URL is not the address of a Redis." in printed
    assert "→ Set it to redis://" in printed
    assert "FAIL  keys        JWT_PUBLIC_KEY is not a public key in PEM." in printed
    assert "ok    migrations" in printed
    assert "Traceback" not in printed


def test_names_a_setting_without_which_nothing_starts(tmp_path: Path) -> None:
    code, printed = doctor(tmp_path, SECRET_KEY="change-me")
    assert code == 1
    assert printed.splitlines()[0] == "SECRET_KEY is a placeholder: set a value of your own."
    assert "→ See the environment" in printed
