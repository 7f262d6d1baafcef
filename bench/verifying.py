"""What it costs to verify a token, beside PyJWT doing no more than its own checks."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, cast

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bench.measurements import Measurement, percentile
from bench.tokens import install_test_keys, public_key_pem, token_of, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from bench.stage import Stage

WORKLOAD = "verify a token"
PYJWT = "PyJWT"
TIMES = 2_000


class Verifying:
    """Needs no server."""

    def __init__(self, stage: Stage) -> None:
        del stage

    @staticmethod
    def measure(number: int) -> Iterator[Measurement]:
        return measure(number=number)


def measure(*, number: int) -> Iterator[Measurement]:
    """Verify tokens never seen before in both ways, in round `number`."""
    install_test_keys()
    # service_kit remembers signatures: what is shown again would cost it next to nothing.
    tokens = [token_of(f"{number}-{n}") for n in range(TIMES)]
    key = cast("Ed25519PublicKey", load_pem_public_key(public_key_pem().encode()))

    def decode(token: str) -> object:
        return jwt.decode(
            token, key, algorithms=["EdDSA"], audience="messaging_service", issuer="parley"
        )

    yield _timed(verify, tokens, system="parley", number=number)
    yield _timed(decode, tokens, system=PYJWT, number=number)


def _timed(
    call: Callable[[str], object], tokens: Sequence[str], *, system: str, number: int
) -> Measurement:
    taken = []
    for token in tokens:
        begin = perf_counter()
        call(token)
        taken.append(1_000 * (perf_counter() - begin))
    return Measurement(
        round=number,
        workload=WORKLOAD,
        system=system,
        throughput=1_000 * TIMES / sum(taken),
        p50=percentile(taken, 0.5),
        p99=percentile(taken, 0.99),
    )
