"""What `make run` does: start the stack, say what to try, and watch it until Ctrl-C."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from local import demo
from local.errors import CannotStartError, ProcessDiedError
from local.lock import only_one, wait_for_leftovers
from local.ports import port_setting, require_free
from local.services import ROOT
from local.stack import Stack
from local.tether import PR_SET_PDEATHSIG

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = ROOT / ".data"
WATCH_SECONDS = 0.2
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AskedToStop(BaseException):
    """Ctrl-C, a closed terminal, or a polite kill."""


def run() -> int:
    """Run until asked to stop. Return the exit code: 0 if asked, 1 if something failed."""
    try:
        port = port_setting(os.environ, name="PORT", default=8000)
        operators_port = port_setting(os.environ, name="OPERATORS_PORT", default=8001)
        with _stop_on_signals(), only_one(HOME, address=f"http://localhost:{port}"):
            wait_for_leftovers(HOME)
            require_free(port, name="PORT")
            require_free(operators_port, name="OPERATORS_PORT")
            _serve(port=port, operators_port=operators_port)
    except AskedToStop:
        return 0
    except CannotStartError as error:
        print(error, file=sys.stderr)
    except ProcessDiedError as error:
        print(f"\n{error}", file=sys.stderr)
    return 1


def _serve(*, port: int, operators_port: int) -> NoReturn:
    began = time.monotonic()
    stack = Stack(home=HOME, port=port, operators_port=operators_port, settings=os.environ)
    _say("Starting Postgres, Redis, the services and the gateway …")
    try:
        stack.start()
        demo.ensure_accounts(port)
        _announce(stack, seconds=time.monotonic() - began)
        while True:
            time.sleep(WATCH_SECONDS)
            stack.require_alive()
    finally:
        _ignore_signals()
        _say("\nStopping …")
        stack.stop()
        _say("Stopped. Nothing is left running; the data is in .data/.")


def _announce(stack: Stack, *, seconds: float) -> None:
    _say(f"Ready in {seconds:.1f} s: {stack.address}\n")
    for process in stack.processes:
        _say(f"  {process.name:<22} pid {process.pid:<8} port {process.port}")
    _say(f"\n  logs                   {_here(stack.logs)}/<name>.log")
    _say(f"  for operators          http://localhost:{stack.operators_port}/dashboard/")
    _say(f"  mails                  http://localhost:{stack.operators_port}/mail/")
    _say(f"  accounts               {' and '.join(demo.ACCOUNTS)}, password {demo.PASSWORD}")
    if stack.replaced:
        _say(f"  from your environment  {' '.join(sorted(stack.replaced))}")
    for number, step in enumerate(demo.steps(stack.address), start=1):
        _say(f"\n{number}. {step.title}:\n\n{step.lines}")
    _say("\nCtrl-C stops everything.")


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Raise AskedToStop in the main thread on the first of the signals."""

    def stop(_number: int, _frame: object) -> NoReturn:
        _ignore_signals()
        raise AskedToStop

    for each in STOP_SIGNALS:
        signal.signal(each, stop)
    if "MAKELEVEL" in os.environ and sys.platform == "linux":
        # Killed, make cannot tell us. Without it nobody at the terminal could stop us any more.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    yield


def _ignore_signals() -> None:
    """Let a second Ctrl-C not interrupt the stopping, which takes seconds at most."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _say(text: str) -> None:
    # A terminal that is gone must not keep us from stopping.
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
