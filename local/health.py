"""Whether something answers over HTTP on a loopback port."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

from local.ports import LOOPBACK

OK = 200


def answers(port: int, path: str) -> bool:
    """Return True if GET `path` answers 200 within five seconds."""
    link = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        link.request("GET", path, headers={"Host": "localhost"})
        return link.getresponse().status == OK
    except (OSError, HTTPException):
        return False
    finally:
        link.close()
