"""The picture a person shows: taken, taken away, and given out.

Files lie in a folder for each person. Which of them is shown the database says; the others go, also
those that an earlier change left behind when it was cut off.
"""

import logging
from hashlib import sha256
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.actions.attempts import count, pictures
from accounts.actions.events import tell_user_changed
from accounts.errors import NoSuchPicture, PicturesUnavailable
from accounts.models import Session, User
from accounts.permissions import locked_owner, locked_user
from accounts.pictures.asking import avatar_of

logger = logging.getLogger(__name__)

_FOLDER: Final = "avatars"
_NAME_LENGTH: Final = 32


def change_avatar(*, session: Session, upload: bytes) -> User:
    """Show this picture, drawn anew; the one before goes.

    Raises what avatar_of raises, SessionOver and TooManyTries; then nothing has changed.
    """
    count(pictures(user_id=session.user_id))
    drawn = avatar_of(upload)
    with transaction.atomic():
        user = locked_owner(session)
        name = f"{user.pk}/{sha256(drawn).hexdigest()[:_NAME_LENGTH]}.webp"
        try:
            default_storage.save(f"{_FOLDER}/{name}", ContentFile(drawn))
        except OSError as error:
            raise PicturesUnavailable from error
        _show(user, name)
    _forget_others(user.pk)
    return user


def remove_avatar(*, session: Session) -> None:
    """Show no picture any more; SessionOver. Doing it again changes nothing."""
    with transaction.atomic():
        user = locked_owner(session)
        if user.avatar:
            _show(user, "")
    _forget_others(user.pk)


def avatar_file(name: str) -> bytes:
    """Return the picture of this name; NoSuchPicture if it is not there any more."""
    try:
        with default_storage.open(f"{_FOLDER}/{name}") as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise NoSuchPicture from error
    return content


def erase_avatars(*, user_id: int) -> None:
    """Leave no picture of a person who is locked and about to go; PicturesUnavailable."""
    try:
        _forget(user_id, keep="")
    except OSError as error:
        raise PicturesUnavailable from error


def _show(user: User, name: str) -> None:
    user.avatar = name
    user.save(update_fields=["avatar"])
    tell_user_changed(user_id=user.pk)


def _forget_others(user_id: int) -> None:
    """Remove what is not shown, under the lock under which it is said what is."""
    with transaction.atomic():
        user = locked_user(user_id=user_id)
        if user is None:
            return
        try:
            _forget(user_id, keep=user.avatar)
        except OSError as error:
            # The change has been made; the next one tries again.
            logger.warning("A picture could not be removed: %s", type(error).__name__)


def _forget(user_id: int, *, keep: str) -> None:
    folder = f"{_FOLDER}/{user_id}"
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if f"{user_id}/{name}" != keep:
            default_storage.delete(f"{folder}/{name}")
    if not keep:
        default_storage.delete(folder)
