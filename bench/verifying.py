"""What it costs to verify a token, beside PyJWT doing no more than its own checks."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, cast

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bench.measurements import Measurement, percentile
from bench.tokens import install_test_keys, public_key_pem, token_of, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORKLOAD = "verify a token"
TIMES = 2_000


def measure(*, number: int) -> Iterator[Measurement]:
    """Verify one token many times in both ways, in round `number`."""
    install_test_keys()
    token = token_of("somebody")
    key = cast("Ed25519PublicKey", load_pem_public_key(public_key_pem().encode()))

    def decode() -> object:
        return jwt.decode(
            token, key, algorithms=["EdDSA"], audience="messaging_service", issuer="parley"
        )

    yield _timed(lambda: verify(token), system="service_kit", number=number)
    yield _timed(decode, system="PyJWT", number=number)


def _timed(call: Callable[[], object], *, system: str, number: int) -> Measurement:
    taken = []
    for _ in range(TIMES):
        begin = perf_counter()
        call()
        taken.append(1_000 * (perf_counter() - begin))
    return Measurement(
        round=number,
        workload=WORKLOAD,
        system=system,
        throughput=1_000 * TIMES / sum(taken),
        p50=percentile(taken, 0.5),
        p99=percentile(taken, 0.99),
    )
