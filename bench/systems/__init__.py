"""The systems that are compared, each as a running process with rooms to send into.

parley       messaging_service as `make run` starts it
tutorial     Channels, ORM and Daphne as the usual tutorial has them
prototype    nothing but the statements, Redis and uvicorn
plain ASGI   uvicorn around an application that only lets everybody in
socket.io    Node, with the Redis adapter: it stores nothing
"""

from bench.systems.parley import Parley
from bench.systems.plain import Plain
from bench.systems.prototype import Prototype
from bench.systems.socketio import SocketIo
from bench.systems.system import System
from bench.systems.tutorial import Tutorial

__all__ = ["Parley", "Plain", "Prototype", "SocketIo", "System", "Tutorial"]
