"""One socket's way out, which never makes the sender wait.

DirectOutlet      uvicorn: the frame's bytes go straight to the transport
QueuedOutlet      any other server: a queue, and a task that awaits `send`

Both hold at most 1 MiB for a client that does not read; then it is closed with 4408. The first also
gives up a client that has not taken everything for ten seconds, and cuts one that still does not.
"""

from messaging.websocket.outlets.direct import DirectOutlet
from messaging.websocket.outlets.outlet import Outlet, SendToServer
from messaging.websocket.outlets.queued import QueuedOutlet

__all__ = ["DirectOutlet", "Outlet", "QueuedOutlet", "outlet_for"]


def outlet_for(send: SendToServer) -> Outlet:
    """The outlet that fits the server behind an accepted socket's `send`."""
    protocol = getattr(send, "__self__", None)
    if DirectOutlet.fits(protocol):
        return DirectOutlet(protocol, send)
    return QueuedOutlet(send)
