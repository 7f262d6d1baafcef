"""Sessions that auth_service has ended: their tokens are refused, whatever they say of themselves.

pulling.py      what auth_service tells is applied once, by whichever process is first
ended.py        what a process knows of it, from Postgres: refuse_ended(claims)
bell.py         Redis rings when there is something to pull
following.py    a thread of every process that pulls and looks, for as long as it lives
"""

from messaging.actions.sessions.ended import EndedSessions, ended_sessions
from messaging.actions.sessions.following import follow

__all__ = ["EndedSessions", "ended_sessions", "follow"]
