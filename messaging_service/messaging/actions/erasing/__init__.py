"""Erasing somebody: his names go with the event that tells it, the rest bit by bit.

beginning.py    begin_erasures(told): the names, at once
names.py        how a profile without a name looks, in SQL
parts.py        each kind of thing that is taken away, a bounded number at a time
working.py      what is due is claimed, done and put off: go_on()
following.py    a thread of every process that goes on, for as long as it lives
"""

from messaging.actions.erasing.beginning import begin_erasures
from messaging.actions.erasing.following import follow_erasures, wake
from messaging.actions.erasing.working import go_on, open_erasures

__all__ = ["begin_erasures", "follow_erasures", "go_on", "open_erasures", "wake"]
