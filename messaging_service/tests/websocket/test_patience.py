"""How long a socket is borne with that asks too fast."""

import pytest

from messaging.errors import Invalid, RateLimited
from messaging.websocket.patience import MOST_IN_A_ROW, Patience


@pytest.fixture
def ends():
    return []


@pytest.fixture
def patience(ends):
    return Patience(ended=lambda: ends.append(True))


class TestPatience:
    def test_ends_with_the_tenth_in_a_row_and_not_before(self, patience, ends):
        for _ in range(MOST_IN_A_ROW - 1):
            patience.note(RateLimited(1))
        assert (ends, patience.is_over) == ([], False)
        patience.note(RateLimited(1))
        assert (ends, patience.is_over) == ([True], True)
        patience.note(RateLimited(1))
        assert ends == [True]

    def test_begins_anew_with_what_was_carried_out(self, patience, ends):
        for _ in range(3):
            for _ in range(MOST_IN_A_ROW - 1):
                patience.note(RateLimited(1))
            patience.note(None)
        assert ends == []

    def test_is_not_won_back_by_what_was_refused_for_another_reason(self, patience, ends):
        for _ in range(MOST_IN_A_ROW):
            patience.note(Invalid("no"))
            patience.note(RateLimited(1))
        assert ends == [True]
