"""A hundred thousand people of whom one is looked for; `pytest -s` shows the plans and times."""

import time

import pytest
from django.db import connection

from accounts.models import User
from accounts.queries import Edge, search_users

PEOPLE = 100_000
AT_ONCE = 20_000
# A few milliseconds, on a machine that does something else too.
LONGEST_SECONDS = 0.1

# In the place of the real table, with all its indexes, for as long as the test takes.
BEGIN = """
CREATE TEMPORARY TABLE accounts_user (LIKE public.accounts_user INCLUDING ALL);
INSERT INTO pg_temp.accounts_user SELECT * FROM public.accounts_user
"""
# Names of three letters and a number: one in 26 begins with any letter. One in ten, whose number
# ends with 0, does not want to be found.
MAKE = """
INSERT INTO accounts_user (id, username, email, display_name, password, find_me)
SELECT 1000 + n, name || n, name || n || '@example.com', 'Dr ' || name || ' ' || n, '!',
    CASE WHEN n %% 10 = 0 THEN 'nobody' ELSE 'everyone' END
FROM (
    SELECT n, chr(97 + n %% 26) || chr(97 + n / 26 %% 26) || chr(97 + n / 676 %% 26) AS name
    FROM generate_series(%s, %s) AS n
) AS people
"""
FOUND = {"Dr ", "d", "Dr abc", "abc", "abc1", "a", "A"}
PREFIXES = [*sorted(FOUND), "zzzz", "ünknown", "%", "_", "a_"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(bob):
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        for first in range(1, PEOPLE, AT_ONCE):
            cursor.execute(MAKE, [first, first + AT_ONCE - 1])
        cursor.execute("ANALYZE accounts_user")
    return User.objects.get(pk=bob.id)


def timed(**asked):
    began = time.perf_counter()
    page = search_users(size=50, **asked)
    return page, time.perf_counter() - began


def plan_of(**asked):
    plans = []

    def explained(execute, sql, params, many, context):
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", params)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        search_users(size=50, **asked)
    [plan] = plans
    return plan


def test_a_hundred_thousand_people_are_searched_by_an_index(me):
    assert User.objects.count() == PEOPLE + 1
    for prefix in PREFIXES:
        for edge in (None, Edge("m"), Edge("m", backwards=True)):
            page, took = timed(prefix=prefix, by=me, edge=edge)
            plan = plan_of(prefix=prefix, by=me, edge=edge)
            print(f"\n{prefix!r} {edge}: {len(page.rows)} in {1000 * took:.1f} ms\n{plan}")  # noqa: T201
            assert "Seq Scan" not in plan
            assert plan.count("Index Scan") >= 2
            assert took < LONGEST_SECONDS
            assert len(page.rows) <= 50
            assert not any(user.username.endswith("0") for user in page.rows)
        found, _ = timed(prefix=prefix, by=me, edge=None)
        assert bool(found.rows) is (prefix in FOUND)
    assert everybody(prefix="a", by=me) == sorted(
        User.objects.filter(username__startswith="a", find_me="everyone").values_list(
            "username", flat=True
        )
    )


def everybody(**asked):
    """Page through all there are."""
    page, _ = timed(**asked)
    names = [user.username for user in page.rows]
    while page.next is not None:
        page, took = timed(**asked, edge=page.next)
        names += [user.username for user in page.rows]
        assert took < LONGEST_SECONDS
    return names
