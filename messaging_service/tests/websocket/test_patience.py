"""How long a socket is borne with that asks too fast."""

from messaging.errors import Invalid, RateLimited
from messaging.websocket.patience import MOST_IN_A_ROW, Patience

TOO_FAST = RateLimited(1)


class TestPatience:
    def test_ends_with_the_tenth_in_a_row_and_not_before(self):
        patience = Patience()
        ended = [patience.refused(TOO_FAST) for _ in range(MOST_IN_A_ROW + 1)]
        assert ended == [False] * (MOST_IN_A_ROW - 1) + [True, False]
        assert patience.is_over

    def test_begins_anew_with_what_was_carried_out(self):
        patience = Patience()
        for _ in range(3):
            assert not any(patience.refused(TOO_FAST) for _ in range(MOST_IN_A_ROW - 1))
            patience.carried_out()

    def test_is_not_won_back_by_what_was_refused_for_another_reason(self):
        patience = Patience()
        ended = []
        for _ in range(MOST_IN_A_ROW):
            assert not patience.refused(Invalid("no"))
            ended.append(patience.refused(TOO_FAST))
        assert ended[-1]
