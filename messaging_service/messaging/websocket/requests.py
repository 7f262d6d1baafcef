"""What the log says of a socket: the request it was opened with, and where that came from."""

from typing import Any

from service_kit.addresses import address_of, caller_address
from service_kit.logs import choose_request_id, request_id


def remember_request(scope: dict[str, Any]) -> None:
    """Set both for the task that serves this socket."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("", 0))[0]
    meta = {"HTTP_X_REAL_IP": headers.get(b"x-real-ip", ""), "REMOTE_ADDR": address}
    caller_address.set(address_of(meta))
    request_id.set(choose_request_id(headers.get(b"x-request-id", "")))
