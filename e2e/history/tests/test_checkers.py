"""Every checker is silent about a correct history, and names what is wrong with a broken one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2e.history.checkers import CHECKERS, judge
from e2e.history.history import SECOND, Bounds, History
from e2e.history.operations import Operation, load, save
from e2e.history.tests.story import correct

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Story = list[Operation]
    Change = Callable[[Story], Story]

MANY = 100_000


def is_like(each: Operation, **wanted: Any) -> bool:
    return all(getattr(each, name) == value for name, value in wanted.items())


def without(*, only: slice = slice(None), **wanted: Any) -> Change:
    """Leave out what is like this, or only some of it."""

    def change(story: Story) -> Story:
        dropped = {id(each) for each in [each for each in story if is_like(each, **wanted)][only]}
        assert dropped
        return [each for each in story if id(each) not in dropped]

    return change


def but(to: dict[str, Any], *, only: slice = slice(None), **wanted: Any) -> Change:
    """Say something else of what is like this, or only of some of it."""

    def change(story: Story) -> Story:
        meant = {id(each) for each in [each for each in story if is_like(each, **wanted)][only]}
        assert meant
        return [replace(each, **to) if id(each) in meant else each for each in story]

    return change


def both(*changes: Change) -> Change:
    def change(story: Story) -> Story:
        for each in changes:
            story = each(story)
        return story

    return change


def again(to: dict[str, Any], *, only: slice = slice(1), **wanted: Any) -> Change:
    """Add what is like this once more, with some of it different."""

    def change(story: Story) -> Story:
        found = [each for each in story if is_like(each, **wanted)][only]
        assert found
        return [*story, *(replace(each, **to) for each in found)]

    return change


def swapped(*, only: slice, **wanted: Any) -> Change:
    """Let two of what is like this change their places in the room."""

    def change(story: Story) -> Story:
        one, other = [each for each in story if is_like(each, **wanted)][only]
        places = {one.id: other, other.id: one}
        return [
            replace(each, seq=to.seq, pos=to.pos, created_pos=to.created_pos)
            if (to := places.get(each.id)) and each.room == to.room
            else each
            for each in story
        ]

    return change


FINAL: dict[str, Any] = {"act": "final", "event": "message"}
ALICE_TWICE: dict[str, Any] = {"user": "alice", "room": 2, "act": "send", "kind": "ok"}

BROKEN: dict[str, tuple[Change, set[str]]] = {
    "an acknowledged message is not in the database": (
        without(via="sql", client_id="last", **FINAL),
        {"lost", "dense", "phantom", "unread"},
    ),
    "an acknowledged message is not shown": (
        without(via="http", client_id="last", **FINAL),
        {"lost"},
    ),
    "an acknowledged message is nowhere, and nobody heard it": (
        both(
            without(act="final", client_id="last"),
            without(act="hear", client_id="last"),
            but({"seq": 11, "pos": 11}, act="final", event="room", room=2),
            but({"seq": 5}, act="unread", about="alice", room=2),
        ),
        {"lost"},
    ),
    "an acknowledged deletion is undone": (
        but({"is_deleted": False, "digest": "back"}, is_deleted=True, **FINAL),
        {"lost", "agreement", "fold"},
    ),
    "an acknowledged edit is undone": (
        but({"pos": 1, "digest": "of before-1-alice-0"}, digest="another", **FINAL),
        {"lost", "fold"},
    ),
    "a repeated send is stored twice": (
        again({"id": 900, "seq": 14, "pos": 18}, client_id="told twice", **FINAL, only=slice(2)),
        {"doubled", "dense", "real_time", "missed", "unread"},
    ),
    "two messages have one place": (
        again({"id": 900, "client_id": "other"}, client_id="last", **FINAL, only=slice(2)),
        {"doubled", "phantom", "agreement", "missed", "unread"},
    ),
    "nobody sent what is there": (
        without(act="send", client_id="last"),
        {"phantom"},
    ),
    "what was refused is there": (
        but({"kind": "fail"}, act="send", kind="ok", client_id="last"),
        {"phantom"},
    ),
    "what was certainly refused was stored": (
        but({"duplicate": True}, act="send", kind="ok", client_id="refused first"),
        {"phantom"},
    ),
    "an event was told and rolled back": (
        again({"id": 900, "seq": 99, "client_id": "x"}, act="hear", via="live", client_id="last"),
        {"phantom"},
    ),
    "a number was given away for nothing": (
        both(
            but({"seq": 13}, client_id="last"),
            but({"seq": 13}, act="final", event="room", room=2),
        ),
        {"dense"},
    ),
    "a room counts more than it has": (
        but({"seq": 90}, act="final", event="room", room=2),
        {"dense"},
    ),
    "a room's position is behind": (
        but({"pos": 3}, act="final", event="room", room=2),
        {"dense"},
    ),
    "one client hears another content": (
        but({"digest": "of somebody else"}, act="hear", client_id="last", who="alice-2"),
        {"agreement", "fold"},
    ),
    "an acknowledgement names another's message": (
        but({"id": 101, "seq": 2, "pos": 2}, act="send", kind="ok", client_id="last"),
        {"agreement", "session_order"},
    ),
    "the database says otherwise than HTTP": (
        but({"digest": "of somebody else"}, via="http", client_id="last", **FINAL),
        {"agreement"},
    ),
    "two places are crossed": (
        swapped(**FINAL, room=2, via="sql", user="alice", only=slice(2)),
        {"real_time", "session_order", "heard_order"},
    ),
    "the clock runs against the order": (
        but({"timestamp": "0"}, client_id="last", **FINAL),
        {"real_time"},
    ),
    "an older event comes late": (
        both(
            without(act="hear", who="bob-1", client_id="before-2-bob-4"),
            again(
                {"who": "bob-1", "user": "bob", "at": 99 * SECOND},
                act="hear",
                via="live",
                client_id="before-2-bob-4",
            ),
        ),
        {"heard_order", "late"},
    ),
    "a publish is lost": (
        without(act="hear", who="bob-1", client_id="last"),
        {"missed"},
    ),
    "a change is lost": (
        without(act="hear", who="bob-1", is_deleted=True),
        {"missed", "fold"},
    ),
    "a client is never told of a room": (
        both(
            without(act="hear", who="bob-1", room=2),
            without(act="sync", who="bob-1", room=2),
        ),
        {"missed"},
    ),
    "catching up brings nothing": (
        without(act="hear", via="resume", who="alice-2"),
        {"missed", "fold"},
    ),
    "a client cannot come back": (
        without(act="open", kind="ok", link=2),
        {"disconnected"},
    ),
    "a client is behind for too long": (
        but({"at": 99 * SECOND}, act="hear", who="bob-1", client_id="last"),
        {"late"},
    ),
    "who was removed hears more": (
        again(
            {"who": "carol-1", "user": "carol"},
            act="hear",
            via="live",
            who="bob-1",
            client_id="carol hears no more",
        ),
        {"leaked", "fold"},
    ),
    "who was let in hears of before": (
        again(
            {"who": "carol-1", "user": "carol"},
            act="hear",
            via="live",
            who="bob-1",
            client_id="before-1-bob-4",
        ),
        {"leaked"},
    ),
    "who was removed may read": (
        again(
            {"user": "carol", "who": "poller-2", "at": 90 * SECOND, "pos": 18},
            act="read",
            only=slice(2),
        ),
        {"leaked"},
    ),
    "a stranger hears": (
        again({"user": "dave", "who": "dave-1"}, act="hear", via="live", client_id="last"),
        {"leaked"},
    ),
    "who was logged out stays connected": (
        without(act="open", kind="info", who="frank-1", only=slice(1)),
        {"revoked"},
    ),
    "who was logged out is sent away late": (
        but({"at": 12 * SECOND}, act="open", kind="info", who="frank-1", only=slice(1)),
        {"revoked"},
    ),
    "who was logged out is let in again": (
        again({"at": 12 * SECOND}, act="open", kind="ok", who="frank-1"),
        {"revoked"},
    ),
    "the token of who was logged out stays good": (
        without(act="barred"),
        {"revoked"},
    ),
    "a marker goes back": (
        but({"seq": 3}, act="mark", kind="ok", only=slice(1, 2)),
        {"markers"},
    ),
    "a marker is lost": (
        but({"seq": 2}, event="marker", room=1, about="alice"),
        {"markers", "unread"},
    ),
    "too much is unread": (
        but({"seq": 90}, act="unread", room=1, about="alice"),
        {"unread"},
    ),
    "an older version comes last, in the same place": (
        again(
            {"digest": "of before-1-alice-0", "at": 99 * SECOND},
            act="hear",
            who="bob-1",
            event="message.updated",
            digest="another",
        ),
        {"agreement", "fold"},
    ),
    "who was removed keeps the room": (
        without(act="hear", who="carol-1", event="member.left"),
        {"fold"},
    ),
    "a page shows what was there before": (
        but({"pos": 1, "digest": "of before-1-alice-0"}, via="history", digest="another"),
        {"snapshots"},
    ),
    "a device is not told of a marker": (
        without(act="me", who="alice-2", pos=3),
        {"personal"},
    ),
    "a device is told of a marker for the first time after a later one": (
        both(
            without(act="me", who="alice-2", pos=2),
            again({"who": "alice-2", "link": 2, "at": 90 * SECOND}, act="me", pos=2),
        ),
        {"personal_order", "personal_late"},
    ),
    "a device is told that a marker went back": (
        but({"seq": 1}, act="me", who="alice-2", pos=3),
        {"personal_order"},
    ),
    "a device is told of a marker late": (
        but({"at": 90 * SECOND}, act="me", who="alice-2", pos=3),
        {"personal_late"},
    ),
    "nobody is told that somebody has gone": (
        without(act="presence"),
        {"ghosts"},
    ),
    "somebody is told late that another has gone": (
        but({"at": 90 * SECOND}, act="presence", who="bob-1"),
        {"ghosts"},
    ),
    "who has gone is shown": (
        but({"status": "online"}, event="presence", about="erin"),
        {"shown"},
    ),
    "who is here is not shown": (
        but({"status": "offline"}, event="presence", about="bob"),
        {"shown"},
    ),
    "an answer takes too long": (
        but({"at": 90 * SECOND}, act="send", kind="ok", client_id="last"),
        {"unanswered"},
    ),
    "a held room holds up the others": (
        but({"at": 18 * SECOND}, act="send", kind="ok", client_id="carol hears this"),
        {"held_up"},
    ),
    "somebody is sent away for nothing": (
        again({}, act="open", kind="ok", who="alice-2"),
        {"moved"},
    ),
    "nothing is acknowledged any more": (
        both(
            without(act="send", client_id="last"),
            without(client_id="last"),
            but({"kind": "info"}, act="send", kind="ok", client_id="refused first"),
            but({"seq": 11, "pos": 11}, act="final", event="room", room=2),
            but({"seq": 6}, act="unread", about="alice", room=2),
            but({"seq": 5}, act="unread", about="alice", room=2),
        ),
        {"not_recovered"},
    ),
    "memory is not given back": (
        but({"seq": 200_000}, act="usage", via="after", who="redis"),
        {"outgrown"},
    ),
}


# One socket breaks.
BOUNDS = Bounds(moves=1)


def checkers_that_speak(story: Story) -> set[str]:
    return {finding.checker for finding in judge(History(story, BOUNDS))}


class TestCheckers:
    def test_are_silent_about_a_correct_history(self) -> None:
        assert judge(History(correct(), BOUNDS)) == []

    @pytest.mark.parametrize("what", BROKEN)
    def test_name_what_is_wrong(self, what: str) -> None:
        change, wanted = BROKEN[what]
        assert checkers_that_speak(change(correct())) == wanted

    def test_are_all_seen_to_speak(self) -> None:
        assert set().union(*(wanted for _, wanted in BROKEN.values())) == {
            check.__name__ for check in CHECKERS
        }

    def test_excuse_what_could_not_be_told_while_all_was_broken(self) -> None:
        wait = {"at": 60 * SECOND}
        story = both(
            but(wait, act="hear", who="bob-1", client_id="carol hears this"),
            but({"at": 58 * SECOND}, event="heal"),
        )(correct())
        late = {finding.checker for finding in judge(History(story))}
        assert "late" in late
        excused = judge(History(story, Bounds(delivery_is_excused=True)))
        assert "late" not in {finding.checker for finding in excused}

    def test_accept_that_a_removal_is_learnt_from_a_refusal(self) -> None:
        learnt = {"act": "sync", "kind": "fail", "event": "", "via": "", "error": "not_found"}
        story = but(learnt, who="carol-1", event="member.left")(correct())
        assert judge(History(story, BOUNDS)) == []

    def test_take_a_history_from_a_file(self, tmp_path: Path) -> None:
        story = correct()
        save(story, tmp_path / "history.jsonl")
        assert load(tmp_path / "history.jsonl") == story

    def test_take_long_histories_quickly(self) -> None:
        story = correct()
        parts = MANY // len(story)
        many = [
            replace(
                each,
                at=each.at + n * 100 * SECOND,
                room=each.room and each.room + 10 * n,
                id=each.id and each.id + 1_000 * n,
            )
            for n in range(parts)
            for each in story
        ]
        began = time.process_time()
        for check in CHECKERS:
            list(check(History(many)))
        assert time.process_time() - began < 60
