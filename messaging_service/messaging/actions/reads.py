"""Moving the markers of who has read how far."""

from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from messaging.actions.changes import next_user_positions, told_change
from messaging.broadcast import publish
from messaging.errors import NotFound
from messaging.events import Event, me_changed, read, unread
from messaging.models import Member
from messaging.permissions import member_of, message_of
from messaging.permissions.large_rooms import READS_UP_TO
from messaging.queries.rooms import has_at_most
from messaging.queries.unread import unread_counts


def mark_read(*, user_id: str, room_id: int, seq: int) -> int:
    """Move one's marker forward, to the room's last message at most; answers where it is now.

    A marker that is there already stays, and nobody is told. Raises NotFound for a stranger.
    """
    found = member_of(user_id=user_id, room_id=room_id)
    if min(seq, found.room.seq) <= found.last_read_seq:
        return found.last_read_seq
    with told_change() as events:
        member = _held(found)
        if (to := min(seq, member.room.seq)) <= member.last_read_seq:
            return member.last_read_seq
        user_pos = next_user_positions([user_id])[user_id]
        Member.objects.filter(pk=member.pk).update(
            last_read_seq=to, read_at=Now(), user_pos=user_pos
        )
        events.append(
            me_changed(user_id=user_id, user_pos=user_pos, room_id=room_id, last_read_seq=to)
        )
        if member.user.read_receipts and has_at_most(READS_UP_TO, room_id=room_id):
            events.append(_read(member, to))
    _tell_unread(user_id=user_id, room_id=room_id)
    return to


def mark_message_read(*, user_id: str, message_id: int) -> int:
    """The same up to a message; answers with its room."""
    row = message_of(user_id=user_id, message_id=message_id)
    mark_read(user_id=user_id, room_id=row.room_id, seq=row.seq)
    return row.room_id


def _held(member: Member) -> Member:
    """The membership as it is now, held: another device may move the marker, or it may end."""
    held = Member.objects.select_related("room", "user").select_for_update(
        of=("self",), no_key=True
    )
    now = held.get(pk=member.pk)
    if now.left_pos is not None:
        raise NotFound("room")
    return now


def _read(member: Member, seq: int) -> Event:
    return read(
        room_id=member.room_id,
        as_of=member.room.pos,
        user_id=member.user_id,
        username=member.user.username,
        seq=seq,
    )


def _tell_unread(*, user_id: str, room_id: int) -> None:
    """Tell how much is left, unless it cannot be counted: the marker has moved all the same.

    Counting takes long where much is unread, so no lock may be held meanwhile.
    """
    try:
        counts = unread_counts(user_id=user_id)
    except (OperationalError, InterfaceError):
        # It may be the connection that failed.
        connection.close()
        return
    count, total = counts.get(room_id, 0), sum(counts.values())
    publish([unread(user_id=user_id, room_id=room_id, unread_count=count, total=total)])
