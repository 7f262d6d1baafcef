"""Where a request comes from, as the gateway saw it."""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

# Of the request at hand, as with the request id.
caller_address: ContextVar[str] = ContextVar("caller_address", default="")

# What one customer of a provider is given: counting single addresses of it would count nothing.
NETWORK_BITS: Final = 64

REMEMBERED: Final = 4096


def address_of(meta: Mapping[str, str]) -> str:
    """Return the address in a request's META, "" where none can be read.

    Traefik overwrites X-Real-Ip with the address of who connected to it, whatever a client sent,
    and refuses other spellings of it. X-Forwarded-For is not looked at.
    """
    return _read(meta.get("HTTP_X_REAL_IP", "")) or _read(meta.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 of an IPv6 one."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/{NETWORK_BITS}", strict=False))


@lru_cache(maxsize=REMEMBERED)
def _read(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        # IPv4 seen through a socket for both; and a zone means something to one host alone.
        return str(address.ipv4_mapped or str(address).partition("%")[0])
    return str(address)
