"""Whether what is sealed can be opened: nothing can that was sealed under another root key."""

from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from accounts.keys.files import root_key
from accounts.keys.sealing import unseal, unseal_second_factor
from accounts.models import SecondFactor, StoredKey


class Opened(NamedTuple):
    number: int
    of: int


def open_keys() -> Opened:
    """Try every key that signs or will; those of another root key are as good as none."""
    keys = StoredKey.objects.filter(root=root_key().key_id).exclude(state=StoredKey.RETIRED)
    rows = [(bytes(key.sealed), key.key_id) for key in keys]
    return Opened(sum(_opens(unseal, *row) for row in rows), len(rows))


def open_second_factors() -> Opened:
    """Try every second factor that is asked for."""
    enabled = SecondFactor.objects.filter(user__mfa_enabled_at__isnull=False)
    rows = list(enabled.values_list("sealed", "user_id"))
    return Opened(sum(_opens(_unseal_of, *row) for row in rows), len(rows))


def _unseal_of(sealed: bytes, user_id: int) -> object:
    return unseal_second_factor(bytes(sealed), user_id=user_id)


def _opens(unsealed: Callable[..., object], *row: object) -> bool:
    try:
        unsealed(*row)
    except (InvalidTag, ValueError):
        return False
    return True
