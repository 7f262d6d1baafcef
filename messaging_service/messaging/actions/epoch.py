"""Beginning a new epoch of the database."""

import uuid

from messaging.models import Epoch


def begin_epoch() -> str:
    """Make positions of before mean nothing: clients that remember some start over."""
    epoch = uuid.uuid4()
    Epoch.objects.update(value=epoch)
    return str(epoch)
