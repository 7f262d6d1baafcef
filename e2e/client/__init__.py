"""The reference client: never silently behind, whatever happens to its connection.

    async with Client("http://localhost:8000", token) as client:
        await client.send(room, "Hello")
        print(client.replica.rooms[room].messages)

`token(renew)` is yours: it returns an access token, a new one if `renew` is true.

client.py       what is asked: sends that are said once, history, catching up
replica.py      what is held, and how each frame changes it (room.py: of one room)
connection.py   a socket that comes back
"""

from e2e.client.client import Client, Refused
from e2e.client.connection import Stopped
from e2e.client.replica import Replica
from e2e.client.room import Frame, Room

__all__ = ["Client", "Frame", "Refused", "Replica", "Room", "Stopped"]
