"""What operations.md prints for whoever may keep less than everything, run as it stands."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from local.tests.operations import printed

if TYPE_CHECKING:
    from e2e.people import Person
    from local.stack import Stack

AGE = """
INSERT INTO accounts_securityevent (at, event, address, reason, request_id)
SELECT now() - age, 'login.failed', '192.0.2.77', '', '' FROM unnest(%s::interval[]) AS age
"""
LEFT = "SELECT count(*) FROM accounts_securityevent WHERE address = '192.0.2.77'"
ENDED = "UPDATE accounts_session SET ended_at = now() - %s::interval WHERE user_id = %s"
SESSIONS = "SELECT count(*) FROM accounts_session WHERE user_id = %s"


def test_what_is_older_than_a_year_goes_and_nothing_else(
    stack: Stack, alice: Person, bob: Person
) -> None:
    (statements,) = printed("sql", under="What is kept, and for how long")
    with closing(stack.postgres.connect("auth")) as link, link.cursor() as cursor:
        cursor.execute(AGE, [["366 days", "364 days"]])
        for person, age in ((alice, "366 days"), (bob, "364 days")):
            cursor.execute(ENDED, [age, person.user["id"]])
        cursor.execute(statements)
        cursor.execute(LEFT)
        assert cursor.fetchone() == (1,)
        for person, left in ((alice, 0), (bob, 1)):
            cursor.execute(SESSIONS, [person.user["id"]])
            assert cursor.fetchone() == (left,)
        with pytest.raises(psycopg2.IntegrityError, match="only ever added"):
            cursor.execute("DELETE FROM accounts_securityevent")
