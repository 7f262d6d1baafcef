"""What ends a session reaches every open socket and both doors, whatever is broken meanwhile."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles
from typing import TYPE_CHECKING

import pytest

from e2e.faults import frozen, killed
from e2e.people import PASSWORD, Person
from e2e.revocation.device import ENDED, Device
from e2e.traces import searched_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack

SECONDS = 2.0
WITHOUT_REDIS_SECONDS = 10.0
# Until the gateway has found processes that were away.
SETTLE_SECONDS = 15.0
STANDSTILL_SECONDS = 2.0
SOCKETS = ("messaging_sockets-1", "messaging_sockets-2", "messaging_sockets-3")
MESSAGING = (*SOCKETS, "messaging_service")
LOGOUTS = 20


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run a system of our own: the others' is not to be broken."""
    with searched_stack(sockets=len(SOCKETS)) as stack:
        yield stack


@pytest.fixture
def device(stack: Stack, alice: Person) -> Iterator[Device]:
    """A second one of alice's, with a socket in each process."""
    with Device(alice) as device:
        device.listens_to_each(stack.socket_processes)
        yield device


def log_out(device: Device) -> None:
    assert device.http.post("/api/auth/logout/").status_code == 204


def log_out_everywhere(device: Device) -> None:
    assert device.person.http.post("/api/auth/logout-all/").status_code == 204


def end_from_elsewhere(device: Device) -> None:
    path = f"/api/auth/sessions/{device.session_id}/"
    assert device.person.http.delete(path).status_code == 204


def change_password(device: Device) -> None:
    body = {"current_password": PASSWORD, "new_password": "through-the-woods-and-back-again"}
    assert device.person.http.post("/api/auth/password/change/", json=body).status_code == 204


@pytest.mark.parametrize("act", [log_out, log_out_everywhere, end_from_elsewhere, change_password])
def test_everything_that_ends_a_session_is_noticed(
    act: Callable[[Device], None], device: Device
) -> None:
    assert device.asks().status_code == 200
    began = time.monotonic()
    act(device)
    for closing in device.closings(within=SECONDS):
        assert (closing.code, closing.reason) == (ENDED, "The session has ended.")
    assert device.refused_after(within=SECONDS) - began < SECONDS


def test_who_is_deactivated_is_refused(stack: Stack, device: Device) -> None:
    user_id = device.person.user["id"]
    act = f"from accounts.actions.closing import deactivate; deactivate(user_id={user_id})"
    stack.auth.manage("shell", "-v0", "-c", act).run(seconds=30)
    assert {closing.code for closing in device.closings(within=SECONDS)} == {ENDED}
    device.refused_after(within=SECONDS)
    answer = device.person.http.get("/api/chat/rooms/")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")


def test_nobody_else_is_disturbed(device: Device, alice: Person) -> None:
    with Device(alice) as other:
        other.listens(3)
        log_out(device)
        device.closings(within=SECONDS)
        device.refused_after(within=SECONDS)
        assert other.is_heard()
        assert other.asks().status_code == alice.http.get("/api/chat/rooms/").status_code == 200


def test_a_new_name_is_told_where_one_is(alice: Person, bob: Person) -> None:
    room = alice.opens_room_with(bob)
    with bob.listens(room) as ear:
        answer = alice.http.patch("/api/auth/me/", json={"display_name": "Alice of Arden"})
        assert answer.status_code == 200
        told = ear.hears_first("user.changed")
        assert told["display_name"] == "Alice of Arden"
        # Her token still says the old one.
        alice.sends(room, "It is me")
        assert ear.hears_first("message")["sender_name"] == "Alice of Arden"


def test_it_takes_less_than_two_seconds(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[float] = []
    refused: list[float] = []
    with Person.signs_up(stack.address, "alice") as alice:
        for _ in range(LOGOUTS):
            with Device(alice) as device:
                device.listens(len(SOCKETS))
                began = time.monotonic()
                log_out(device)
                refused.append(device.refused_after(within=SECONDS) - began)
                closed += [closing.at - began for closing in device.closings(within=SECONDS)]
    with capsys.disabled():
        print(f"\nfrom logout to socket closed: {_figures(closed)}")
        print(f"from logout to token refused: {_figures(refused)}")
    assert max(*closed, *refused) < SECONDS


def _figures(seconds: list[float]) -> str:
    p50, p99 = median(seconds), quantiles(seconds, n=100, method="inclusive")[98]
    return f"p50 {1_000 * p50:.0f} ms, p99 {1_000 * p99:.0f} ms of {len(seconds)}"


# ---- something is broken meanwhile ---------------------------------------------------------------


@pytest.mark.parametrize("away", [killed, frozen])
def test_it_takes_less_than_ten_without_redis(
    stack: Stack, device: Device, away: Callable[[Stack, str], object]
) -> None:
    with away(stack, "redis"):  # type: ignore[attr-defined]
        began = time.monotonic()
        log_out(device)
        assert time.monotonic() - began < SECONDS
        refused = device.refused_after(within=WITHOUT_REDIS_SECONDS)
        closings = device.closings(within=WITHOUT_REDIS_SECONDS)
        assert {closing.code for closing in closings} == {ENDED}
        latest = max(refused, *(closing.at for closing in closings))
        assert latest - began < WITHOUT_REDIS_SECONDS


@contextmanager
def all_of(*names: str, stack: Stack) -> Iterator[None]:
    with ExitStack() as faults:
        for name in names:
            faults.enter_context(killed(stack, name))
        yield


def test_it_is_not_forgotten_while_messaging_is_away(stack: Stack, device: Device) -> None:
    with all_of(*MESSAGING, stack=stack):
        log_out(device)
    device.refused_after(within=SETTLE_SECONDS)


def test_it_is_not_forgotten_while_nobody_can_hear_it(stack: Stack, device: Device) -> None:
    with killed(stack, "redis"):
        log_out(device)
        with killed(stack, "auth_service"):
            pass
    assert {closing.code for closing in device.closings(within=WITHOUT_REDIS_SECONDS)} == {ENDED}
    device.refused_after(within=WITHOUT_REDIS_SECONDS)


@pytest.mark.parametrize("name", SOCKETS)
def test_a_process_that_was_stopped_looks_before_it_says_anything(
    stack: Stack, device: Device, alice: Person, bob: Person, name: str
) -> None:
    room = alice.opens_room_with(bob)
    with frozen(stack, name):
        log_out(device)
        device.refused_after(within=SECONDS)
        # The others may say something until they know.
        device.waits_for_closings(len(SOCKETS) - 1, within=SECONDS)
        bob.sends(room, "Not for that device")
        time.sleep(STANDSTILL_SECONDS)
    for closing in device.closings(within=SECONDS):
        assert closing.code == ENDED
        assert "Not for that device" not in "".join(closing.heard)
