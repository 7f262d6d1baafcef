"""Whatever happens, and whatever is lost: every client shows what a fresh read would."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from local.ports import LOOPBACK
from messaging_service.tests.doorbell import Doorbell, Fate
from messaging_service.tests.model.world import Act, World
from messaging_service.tests.people import Api
from messaging_service.tests.servers import start_servers

# Each costs some seconds: what is lost for good is found by an audit. MODEL_EXAMPLES=200 plays
# others each time, and makes the story that fails shorter, which takes minutes.
IS_THOROUGH = "MODEL_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "10"))
PHASES = [Phase.generate, Phase.shrink] if IS_THOROUGH else [Phase.generate]

VERBS = [
    *("send", "send", "say", "read", "read", "edit", "edit", "delete", "remove", "add", "add"),
    *("remove_and_add", "remove_and_add", "reconnect", "leave", "come_back", "lose_redis"),
    *("ask", "ask", "block"),
]
FATES = st.sampled_from([Fate.TOLD, Fate.TOLD, Fate.LATE, Fate.LOST])
ACTS = st.builds(
    Act,
    verb=st.sampled_from(VERBS),
    who=st.integers(0, 11),
    which=st.integers(0, 11),
    fates=st.tuples(FATES, FATES, FATES),
)
STORIES = st.lists(st.lists(ACTS, min_size=3, max_size=8), min_size=3, max_size=5)


@pytest.fixture(scope="module")
def processes(_database, tmp_path_factory):
    with start_servers(tmp_path_factory.mktemp("model"), sockets=2, http=1) as (one, two, http):
        yield f"http://{LOOPBACK}:{http.port}", [one.address, two.address]


@pytest.fixture
def play(processes, make_person, open_room):
    """Play a story to its end, with people and a room of its own."""
    http, sockets = processes

    def tell(story):
        alice, bob, carol = (make_person(name) for name in ("alice", "bob", "carol"))
        doorbell = Doorbell()
        world = World([alice, bob, carol], open_room(alice, bob), Api(), doorbell)
        with doorbell.installed():
            asyncio.run(world.play(story, http=http, sockets=sockets))

    return tell


class TestEveryClient:
    def test_shows_what_there_is_after_each_step(self, play):
        @settings(
            max_examples=EXAMPLES,
            derandomize=not IS_THOROUGH,
            phases=PHASES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(STORIES)
        def tell(story):
            play(story)

        tell()
