"""The results as a page of Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.measurements import FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.measurements import Figure, Measurement, Measurements
    from bench.targets import Verdict

NOTES = """\
Everything shares the machine: load client, servers, Postgres with its durable defaults (fsync,
full_page_writes and synchronous_commit on) and Redis. Figures are medians over the rounds, in which
the systems take turns; a ratio is the median of the ratios within each round. Throughput is per
second; latencies are milliseconds from when a message was due to its ack, to its delivery in a
fan-out, or from a request to its answer. After every load on the write path each acknowledged
message is stored exactly once, and every room is numbered without holes, or there is no result.
Delivered is what sockets were told, of what they had to be told, when nothing more had come for a
second (in a fan-out: for two).

Where a server's processor time counts it has a core of its own, and all else shares the others.
"Per CPU-second" divides by the time of all the server's threads. A closed loop of fan-out has four
messages of 100 bytes on their way. parley and the tutorial store each message before they tell it,
and parley looks whether its sender may; socket.io does neither, in the same figure.

- parley: one socket process of messaging_service as `make run` starts it, with tokens and members,
  and without limits on how often one may ask.
- parley, Traefik: the same process through the gateway. parley, Daphne: the same application there.
- parley, from stored: the messages are stored by the load client, with the same code; what storing
  takes does not count, as socket.io stores nothing. They come to the process through Redis.
- the disk alone: a page written and kept for each message, which nobody who keeps it can save.
- prototype: the same two statements without authorisation, bare ASGI, Redis, uvicorn.
- tutorial: Channels consumer, ORM through database_sync_to_async, group_send, Daphne, persistent
  connections; 1,000/s is beyond it.
- socket.io: one Node process with the Redis adapter and plain WebSockets, as its documentation has
  rooms.
- all read: parley again, where nobody in the room is deaf.
- plain ASGI: the same uvicorn around an application that accepts and says one word. parley's
  sockets each come with a token never seen before, in a hundred rooms of two people, 250 at a time.
- ModelSerializer: the same history as a DRF view with nested sender, on the same tables, under the
  same gunicorn options and middleware.
- verify a token: tokens (EdDSA) never seen before, verified in one thread by service_kit and by
  PyJWT.
- log in, refresh a session: one process of auth_service as `make run` starts it; one after another,
  and four sessions at once. argon2: the same hash alone, in a process that does nothing else, by
  argon2-cffi, with which Django hashes and against which a login is judged, and by libsodium,
  with which auth_service hashes.
- log out: the whole system with two socket processes, through the gateway. From a logout's request
  to the close of each socket of its session, while a thousand others of the account are open; then
  of that thousand, which are one session's.
- The audit: a socket process with ten thousand rooms in which nothing happens, and Postgres.
"""


def report(
    measurements: Measurements,
    verdicts: Sequence[Verdict],
    facts: Mapping[str, Mapping[str, str]],
    *,
    title: str,
    command: str,
) -> str:
    """Write the page: targets first, then where and with what, then every figure."""
    marks = [f"- {'PASS' if passed else 'FAIL'} {text}" for passed, text in verdicts]
    lines = [f"# {title}", "", f"Command: `{command}`", "", "## Targets", "", *marks, ""]
    for heading, values in facts.items():
        lines += [f"## {heading}", "", *(f"- {name}: {it}" for name, it in values.items()), ""]
    lines += ["## Figures", "", NOTES]
    for workload in measurements.workloads():
        lines += [f"### {workload}", "", *_table(measurements, workload), ""]
    return "\n".join(lines)


def _table(measurements: Measurements, workload: str) -> list[str]:
    systems = measurements.systems(workload)
    rounds = {system: measurements.of(system, workload) for system in systems}
    asked = [
        figure
        for figure in FIGURES
        if any(each.has(figure) for taken in rounds.values() for each in taken)
    ]
    titles = [figure.title for figure in asked]
    head = f"| system | {' | '.join(titles)} | delivered | rounds: {' / '.join(titles)} |"
    line = f"|---|{'---:|' * len(asked)}---:|---|"
    return [head, line, *(_row(system, taken, asked) for system, taken in rounds.items())]


def _row(system: str, rounds: Sequence[Measurement], asked: Sequence[Figure]) -> str:
    due = sum(each.due for each in rounds)
    delivered = f"{sum(each.delivered for each in rounds) / due:.2%}" if due else "-"
    medians = [
        f"{median(each.value(figure.name) for each in rounds):{figure.form}}" for figure in asked
    ]
    each_round = (
        " / ".join(f"{each.value(figure.name):{figure.form}}" for figure in asked)
        for each in rounds
    )
    return f"| {' | '.join([system, *medians, delivered, '; '.join(each_round)])} |"
