"""What may happen to a system, as one table."""

from __future__ import annotations

from dataclasses import replace
from signal import SIGINT, SIGQUIT
from typing import Final

from e2e.chaos.faults.abuse import read_nothing, send_a_byte_a_second
from e2e.chaos.faults.clocks import HOUR, wrong_clock
from e2e.chaos.faults.fault import Fault
from e2e.chaos.faults.keys import forget_auth_service, trust_an_impostor
from e2e.chaos.faults.network import (
    break_far_connections,
    cut_off,
    cut_the_wire,
    go_far_away,
    lose_packets,
    lose_touch,
    reset_again_and_again,
    shuffle_packets,
    slow_store,
)
from e2e.chaos.faults.processes import (
    be_killed_for_memory,
    die_at,
    freeze,
    kill,
    kill_sockets_in_turn,
    nothing,
    replace_everything_in_turn,
    run_out_of_files,
    run_out_of_memory,
)
from e2e.chaos.faults.revocation import (
    while_messaging_restarts,
    without_a_process,
    without_redis,
)
from e2e.chaos.faults.stores import (
    fill_redis,
    forget_redis,
    hold_a_room,
    refuse_connections,
    stop_postgres,
)
from e2e.chaos.tunnel import Tunnel
from e2e.chaos.wire import Wire
from e2e.history.history import Bounds

# Sends are acknowledged within a second with Redis away, and sockets stay.
WITHOUT_REDIS: Final = Bounds(answer=1.0)
# Nobody can be told what is in a store that does not answer, or by a process that does not run.
# Who is let into a room at that moment cannot be shown it, and comes back.
WITHOUT_POSTGRES: Final = Bounds(delivery_is_excused=True, revocation=15.0, moves=1)
WITHOUT_A_PROCESS: Final = Bounds(delivery_is_excused=True, revocation=15.0, moves=2)
# Whoever is told only by looking again is told after two seconds.
UNDISTURBED: Final = Bounds(delivery=1.5, revocation=2.0, presence_is_disturbed=False)
# Who ends his session is known there alone.
WITHOUT_AUTH_SERVICE: Final = Bounds(revocation=15.0, revocation_is_excused=True, moves=1)
MOVED_ONCE: Final = Bounds(moves=1)
MOVED_TWICE: Final = Bounds(moves=2)
# A socket process begins anew with other settings, everybody comes back, it begins anew again. Or
# all three do, each in its turn, and somebody is where the next is each time.
IN_ANOTHER_PROCESS: Final = Bounds(moves=3)
TWICE_IN_ANOTHER: Final = Bounds(moves=4)

_SHORT: Final = (
    # ---- processes of ours ----
    Fault("sockets killed in turn", kill_sockets_in_turn, 0, IN_ANOTHER_PROCESS),
    Fault("a socket process frozen", freeze("messaging_sockets-1"), 10, WITHOUT_A_PROCESS),
    Fault("auth_service forgotten", forget_auth_service, 5, WITHOUT_AUTH_SERVICE),
    Fault("a process dies before its acks", die_at("commit"), 0, IN_ANOTHER_PROCESS),
    # ---- clients, and the way to the gateway ----
    Fault("gateway killed", kill("traefik"), 1, WITHOUT_A_PROCESS),
    Fault("clients out of touch", lose_touch, 12, WITHOUT_A_PROCESS),
    # ---- Redis ----
    Fault("redis killed", kill("redis"), 3, WITHOUT_REDIS),
    Fault("redis frozen", freeze("redis"), 10, WITHOUT_REDIS),
    # ---- Postgres ----
    Fault("postgres killed", kill("postgres"), 3, WITHOUT_POSTGRES),
    Fault("postgres frozen", freeze("postgres"), 10, WITHOUT_POSTGRES),
    Fault("postgres full", refuse_connections, 5, WITHOUT_POSTGRES),
    Fault("a room held", hold_a_room, 5, WITHOUT_POSTGRES),
)
_LONG: Final = (
    Fault("nothing", nothing, 20, UNDISTURBED),
    # ---- processes of ours ----
    Fault(
        "a socket process frozen for a minute", freeze("messaging_sockets-1"), 60, WITHOUT_A_PROCESS
    ),
    Fault("auth_service forgotten for long", forget_auth_service, 600, WITHOUT_AUTH_SERVICE),
    Fault("an impostor for auth_service", trust_an_impostor, 0, IN_ANOTHER_PROCESS),
    Fault("an HTTP process killed", kill("messaging_service"), 2),
    Fault("everything replaced in turn", replace_everything_in_turn, 0, IN_ANOTHER_PROCESS),
    Fault("a process dies before COMMIT", die_at("insert"), 0, IN_ANOTHER_PROCESS),
    Fault("a process dies before it tells", die_at("tell"), 0, IN_ANOTHER_PROCESS),
    Fault("no files left", run_out_of_files, 5, MOVED_ONCE),
    Fault("no memory left", run_out_of_memory, 8, WITHOUT_A_PROCESS),
    Fault("killed for its memory", be_killed_for_memory, 3, MOVED_TWICE),
    Fault(
        "a clock a little wrong", wrong_clock("messaging_sockets-1", 25, -25), 2, TWICE_IN_ANOTHER
    ),
    Fault(
        "a clock quite wrong", wrong_clock("messaging_sockets-1", 300, -300), 2, TWICE_IN_ANOTHER
    ),
    Fault(
        "a clock that jumps back", wrong_clock("messaging_sockets-1", 0, -HOUR), 5, TWICE_IN_ANOTHER
    ),
    Fault("a signer's clock wrong", wrong_clock("auth_service", 25, -25), 2, MOVED_TWICE),
    Fault("redis' clock wrong", wrong_clock("redis", 300, -300), 5, MOVED_TWICE),
    # ---- people who log out ----
    Fault("logouts without redis", without_redis, 0, WITHOUT_REDIS),
    Fault("logouts without redis or a process", without_a_process, 0, WITHOUT_A_PROCESS),
    Fault("logouts while messaging restarts", while_messaging_restarts, 0, MOVED_ONCE),
    # ---- clients, and the way to the gateway ----
    Fault("half-open connections", cut_the_wire, 5, WITHOUT_A_PROCESS, over=Wire),
    Fault("packets lost", lose_packets, 15, MOVED_TWICE, over=Wire),
    Fault("packets out of order", shuffle_packets, 15, MOVED_ONCE, over=Tunnel),
    Fault("clients far away", go_far_away, 5),
    Fault("clients reset", break_far_connections, 0, Bounds(moves=5)),
    Fault("clients that read nothing", read_nothing, 12),
    Fault("clients that send a byte a second", send_a_byte_a_second, 5),
    # ---- Redis ----
    Fault("redis full", fill_redis, 5, WITHOUT_REDIS),
    Fault("redis forgetful", forget_redis, 0, WITHOUT_REDIS),
    Fault("redis cut off from one", cut_off("redis"), 8, replace(WITHOUT_REDIS, moves=3)),
    Fault("redis far from one", slow_store("redis", 0.1), 5, IN_ANOTHER_PROCESS),
    # ---- Postgres ----
    Fault("postgres stopped fast", stop_postgres(SIGINT), 2, WITHOUT_POSTGRES),
    Fault("postgres stopped at once", stop_postgres(SIGQUIT), 2, WITHOUT_POSTGRES),
    Fault("postgres cut off from one", cut_off("postgres"), 8, replace(WITHOUT_POSTGRES, moves=3)),
    Fault("postgres far from one", slow_store("postgres", 0.1), 5, IN_ANOTHER_PROCESS),
    Fault(
        "postgres reset for one",
        reset_again_and_again("postgres"),
        0,
        replace(WITHOUT_POSTGRES, moves=3),
    ),
)
# Those of the tests, and all of them for `make soak`.
SHORT: Final = {fault.name: fault for fault in _SHORT}
FAULTS: Final = SHORT | {fault.name: fault for fault in _LONG}

__all__ = ["FAULTS", "SHORT", "Fault"]
