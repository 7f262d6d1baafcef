"""What two processes of the service do to one row at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from auth_service.tests.servers import PASSWORD, Servers, start_servers

REFRESH = "/api/auth/refresh/"
ENDED = """
UPDATE accounts_session SET ended_at = now()
WHERE user_id = (SELECT id FROM accounts_user WHERE username = %(name)s)
"""
CLOSED = "UPDATE accounts_user SET is_active = false WHERE username = %(name)s"
ERASED = """
DELETE FROM accounts_session
WHERE user_id = (SELECT id FROM accounts_user WHERE username = %(name)s);
DELETE FROM accounts_user WHERE username = %(name)s
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with start_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(50) as pool:
        yield pool


def lock_session(link, token):
    with link.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_session WHERE id = %s FOR UPDATE", [token[:32]])


def live(servers, username):
    with servers.link() as link, link.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM accounts_session s JOIN accounts_user u ON u.id = user_id"
            " WHERE username = %s AND ended_at IS NULL",
            [username],
        )
        return cursor.fetchone()[0]


class TestRefreshing:
    """Rule 6."""

    def test_50_times_has_one_successor(self, servers, threads):
        shown = servers.sign_up("fifty")["refresh"]
        asked = [
            threads.submit(servers.ask, "POST", REFRESH, {"refresh": shown}, server=number)
            for number in range(50)
        ]
        answers = [each.result() for each in asked]
        assert {answer.status for answer in answers} == {200}
        [successor] = {answer.body["refresh"] for answer in answers}
        assert successor != shown
        assert servers.ask("POST", REFRESH, {"refresh": successor}).status == 200

    def test_twice_interleaved_has_one_successor(self, servers, threads):
        shown = servers.sign_up("twice")["refresh"]
        with servers.link() as link:
            lock_session(link, shown)
            asked = [
                threads.submit(servers.ask, "POST", REFRESH, {"refresh": shown}, server=number)
                for number in range(2)
            ]
            servers.wait_for_waiters(2)
            link.rollback()
            first, second = (each.result() for each in asked)
        assert (first.status, second.status) == (200, 200)
        assert first.body["refresh"] == second.body["refresh"]

    @pytest.mark.parametrize(
        ("username", "change"),
        [("logged-out", ENDED), ("closed", CLOSED), ("erased", ERASED)],
        ids=["logged out", "closed", "erased"],
    )
    def test_waits_for_whoever_ends_it_and_is_refused(self, servers, threads, username, change):
        """Rule 7: what is looked at is looked at under the lock."""
        shown = servers.sign_up(username)["refresh"]
        with servers.link() as link:
            lock_session(link, shown)
            asked = threads.submit(servers.ask, "POST", REFRESH, {"refresh": shown})
            servers.wait_for_waiters(1)
            with link.cursor() as cursor:
                cursor.execute(change, {"name": username})
            link.commit()
            answer = asked.result()
        assert (answer.status, answer.body["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        ("username", "change"),
        [("closed-then", CLOSED), ("erased-then", ERASED)],
        ids=["closed", "erased"],
    )
    def test_serves_nobody_who_left_since(self, servers, username, change):
        """Rule 7: between the refresh and the use of what it gave."""
        pair = servers.ask("POST", REFRESH, {"refresh": servers.sign_up(username)["refresh"]}).body
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute(change, {"name": username})
            link.commit()
        used = servers.ask("GET", "/api/auth/me/", token=pair["access"])
        again = servers.ask("POST", REFRESH, {"refresh": pair["refresh"]})
        assert (used.status, used.body["code"]) == (401, "session_revoked")
        assert again.status == 401


class TestErasing:
    def test_lets_nobody_slip_in_who_refreshes(self, servers, threads):
        """Whichever is first, what the refresh gave opens nothing."""
        told = servers.sign_up("erasing")
        with servers.link() as link:
            lock_session(link, told["refresh"])
            erasing = threads.submit(
                servers.ask, "DELETE", "/api/auth/me/", {"password": PASSWORD}, token=told["access"]
            )
            servers.wait_for_waiters(1)
            refreshing = threads.submit(
                servers.ask, "POST", REFRESH, {"refresh": told["refresh"]}, server=1
            )
            servers.wait_for_waiters(2)
            link.rollback()
            erased, refreshed = erasing.result(), refreshing.result()
        assert erased.status == 204
        assert refreshed.status in {200, 401}
        given = refreshed.body.get("access", told["access"])
        used = servers.ask("GET", "/api/auth/me/", token=given)
        assert (used.status, used.body["code"]) == (401, "session_revoked")
        ended = [event for event in servers.events() if event["data"].get("reason") == "erased"]
        assert [event["data"]["user_id"] for event in ended] == [told["user"]["id"]]
        assert live(servers, "erasing") == 0

    def test_lets_nobody_slip_in_who_logs_in(self, servers, threads):
        told = servers.sign_up("erasing-too")
        login = {"username": "erasing-too", "password": PASSWORD}
        with servers.link() as link:
            lock_session(link, told["refresh"])
            erasing = threads.submit(
                servers.ask, "DELETE", "/api/auth/me/", {"password": PASSWORD}, token=told["access"]
            )
            servers.wait_for_waiters(1)
            logging_in = threads.submit(servers.ask, "POST", "/api/auth/login/", login, server=1)
            servers.wait_for_waiters(2)
            link.rollback()
            assert erasing.result().status == 204
            answer = logging_in.result()
        assert (answer.status, answer.body["code"]) == (401, "not_authenticated")
        assert live(servers, "erasing-too") == 0


class TestLoggingIn:
    def test_waits_for_a_new_password_and_is_refused_the_old(self, servers, threads):
        """Rule 10: no session may slip in between."""
        servers.sign_up("changing")
        login = {"username": "changing", "password": PASSWORD}
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET password = '!' WHERE username = 'changing'")
            asked = threads.submit(servers.ask, "POST", "/api/auth/login/", login)
            servers.wait_for_waiters(1)
            link.commit()
            answer = asked.result()
        assert (answer.status, answer.body["code"]) == (401, "not_authenticated")
        assert live(servers, "changing") == 1

    def test_waits_without_holding_up_others_at_its_address(self, servers, threads):
        servers.sign_up("waiting")
        servers.sign_up("neighbour")
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute("SELECT FROM accounts_user WHERE username = 'waiting' FOR UPDATE")
            waiting, neighbour = (
                {"username": name, "password": PASSWORD} for name in ("waiting", "neighbour")
            )
            asked = threads.submit(servers.ask, "POST", "/api/auth/login/", waiting)
            servers.wait_for_waiters(1)
            assert servers.ask("POST", "/api/auth/login/", neighbour, server=1).status == 200
            link.rollback()
        assert asked.result().status == 200


class TestChangingAPassword:
    ASKED = {"current_password": PASSWORD, "new_password": "another horse battery"}

    @pytest.mark.parametrize(
        ("username", "change"),
        [("thrown-out", ENDED), ("shut-out", CLOSED)],
        ids=["ended", "closed"],
    )
    def test_waits_for_whoever_ends_the_session_and_is_refused(
        self, servers, threads, username, change
    ):
        access = servers.sign_up(username)["access"]
        path = "/api/auth/password/change/"
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute("SELECT FROM accounts_user WHERE username = %s FOR UPDATE", [username])
            asked = threads.submit(servers.ask, "POST", path, self.ASKED, token=access)
            servers.wait_for_waiters(1)
            cursor.execute(change, {"name": username})
            cursor.execute("SELECT password FROM accounts_user WHERE username = %s", [username])
            before = cursor.fetchone()
            link.commit()
            answer = asked.result()
            cursor.execute("SELECT password FROM accounts_user WHERE username = %s", [username])
            assert cursor.fetchone() == before
        assert (answer.status, answer.body["code"]) == (401, "session_revoked")


class TestEnding:
    def test_is_told_once_however_many_ask(self, servers, threads):
        """Rule 10."""
        access = servers.sign_up("leaving")["access"]
        newest = max((event["id"] for event in servers.events()), default=0)
        asked = [
            threads.submit(servers.ask, "POST", "/api/auth/logout/", token=access, server=number)
            for number in range(10)
        ]
        assert {each.result().status for each in asked} == {204}
        assert [event["id"] for event in servers.events(newest)] == [newest + 1]

    def test_has_numbers_without_holes_in_the_order_they_are_seen(self, servers, threads):
        """Rule 10: a consumer that read up to n misses nothing that commits later."""
        people = [servers.sign_up(f"leaver-{number}") for number in range(8)]
        before = [event["id"] for event in servers.events()]
        with servers.link() as link, link.cursor() as cursor:
            cursor.execute("UPDATE accounts_eventcounter SET newest = newest + 1")
            asked = [
                threads.submit(
                    servers.ask, "POST", "/api/auth/logout/", token=each["access"], server=number
                )
                for number, each in enumerate(people)
            ]
            servers.wait_for_waiters(8)
            assert [event["id"] for event in servers.events()] == before
            link.rollback()
            assert {each.result().status for each in asked} == {204}
        after = [event["id"] for event in servers.events()]
        assert after == list(range(1, len(before) + 9))

    def test_and_refreshing_at_once_never_deadlock(self, servers, threads):
        """Locks are taken in one order: person, session, counter."""
        told = servers.sign_up("busy")
        login = {"username": "busy", "password": PASSWORD}
        pairs = [servers.ask("POST", "/api/auth/login/", login).body for _ in range(6)]
        asked = [
            threads.submit(
                servers.ask, "POST", REFRESH, {"refresh": pair["refresh"]}, server=number
            )
            for number, pair in enumerate(pairs)
        ]
        asked.append(
            threads.submit(servers.ask, "POST", "/api/auth/logout-all/", token=told["access"])
        )
        statuses = {each.result().status for each in asked}
        assert statuses <= {200, 204, 401}
        assert live(servers, "busy") == 0
