"""One thread per process that commits whatever waits to be sent as one transaction.

sends.py         what is asked of the writer, and its answer
pace.py          whether a batch's sends are more than their senders may make now
transaction.py   one batch: lock first, look second, decide, write
connection.py    the writer's own connection, with its statements prepared
committer.py     a batch that must end: bisecting, reconnecting, settling a lost COMMIT
counting.py      what it counts for its metrics
writer.py        natural batching, and rooms that somebody else holds
"""

from messaging.actions.writer.sends import Outcome, Send, Sent
from messaging.actions.writer.writer import Writer, writer

__all__ = ["Outcome", "Send", "Sent", "Writer", "writer"]
