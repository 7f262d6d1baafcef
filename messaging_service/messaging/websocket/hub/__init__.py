"""Tells every local socket what happens where it is, in order, without gaps.

hub.py             who listens, and what comes from Redis
feed.py            one channel: in the order of positions, once, without gaps
roster.py          who hears it, and what becomes of him by it
seats.py           one socket's place in one feed
incoming.py        what came from Redis and waits for its turn
newest.py          what of a person is out of date
arrivals.py        what is told while somebody is on his way in
telling.py         many sockets in turn, without keeping the others waiting
typists.py         typing that nobody ended
streams.py         what can be listened to, and how Postgres tells it
refills.py         what is missing is read from Postgres
subscriptions.py   the one connection that listens to Redis
audit.py           finds what Redis lost
"""

from messaging.websocket.hub.feed import Feed
from messaging.websocket.hub.hub import Hub, hub, stop_hub
from messaging.websocket.hub.seats import Owner, Seat
from messaging.websocket.hub.streams import PersonStream, RoomStream, Stream

__all__ = [
    "Feed",
    "Hub",
    "Owner",
    "PersonStream",
    "RoomStream",
    "Seat",
    "Stream",
    "hub",
    "stop_hub",
]
