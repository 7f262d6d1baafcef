"""Settings come from the environment, then the file; a placeholder never starts a service."""

import os
import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from service_kit.environment import FOLDER, Environment, is_placeholder

GOOD = "4f1c9a5d0b7e43d2a8c6e1f09b3d7a52"
DATABASE = {
    "DB_HOST": "postgres",
    "DB_PORT": "5432",
    "DB_NAME": "chat",
    "DB_USER": "chat",
    "DB_PASSWORD": "pa$$word-of-our-own",
}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make an Environment of a file and a process environment."""

    def make(written="", **values):
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "kit.env").write_text(written)
        return Environment("kit", folder=tmp_path)

    return make


class TestOrigins:
    def test_are_as_browsers_write_them(self, make):
        env = make(ORIGINS="https://App.example.org/, http://localhost:3000,http://[::1]:8000")
        expected = {"https://app.example.org", "http://localhost:3000", "http://[::1]:8000"}
        assert env.origins("ORIGINS") == expected

    def test_may_be_none(self, make):
        assert make().origins("ORIGINS") == make(ORIGINS="").origins("ORIGINS") == frozenset()

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "null",
            "app.example.org",
            "https://*.example.org",
            "https://a/b",
            "ftp://a",
            "https://",
        ],
    )
    def test_are_full_ones(self, make, origin):
        with pytest.raises(ImproperlyConfigured, match="ORIGINS"):
            make(ORIGINS=f"https://a.example.org,{origin}").origins("ORIGINS")


class TestEnvironment:
    def test_reads_the_file(self, make):
        env = make("# a comment\nA=1\nB='two words'\nC=\"x\"\nexport D=4\n\nE=a=b#c\n")
        assert [env(name) for name in "ABCDE"] == ["1", "two words", "x", "4", "a=b#c"]

    def test_lets_the_process_environment_win(self, make):
        assert make("A=file", A="process")("A") == "process"
        assert make("A=file", A="").ENVIRON["A"] == ""

    def test_changes_nothing_outside(self, make):
        make("A=file")
        assert "A" not in os.environ

    def test_needs_no_file(self, tmp_path):
        assert Environment("nobody", folder=tmp_path).str("A", default="x") == "x"

    def test_keeps_two_services_apart(self, tmp_path):
        (tmp_path / "one.env").write_text("A=1")
        assert "A" in Environment("one", folder=tmp_path)
        assert "A" not in Environment("two", folder=tmp_path)

    def test_is_django_environ_otherwise(self, make):
        env = make(A="true", B="7", C="a,b")
        assert env.bool("A") is True
        assert env.int("B") == 7
        assert env.list("C") == ["a", "b"]
        with pytest.raises(ImproperlyConfigured):
            env.str("D")


class TestRequired:
    def test_gives_the_value_as_written(self, make):
        assert make(A=" $x\\n ").required("A") == " $x\\n "

    @pytest.mark.parametrize("values", [{}, {"A": ""}])
    def test_names_what_is_missing(self, make, values):
        with pytest.raises(ImproperlyConfigured, match="A must be set"):
            make(**values).required("A")


class TestSecret:
    def test_gives_a_secret_of_our_own(self, make):
        assert make(A=GOOD).secret("A") == GOOD

    @pytest.mark.parametrize(
        "value",
        [
            "change-me",
            "secret",
            "password",
            "changeme",
            "CHANGE_ME",
            "x" * 31,
            "django-insecure-" + GOOD,
            "placeholder-" + GOOD,
            GOOD + "-change-me",
            "replace me",
        ],
    )
    def test_refuses_a_placeholder_and_does_not_repeat_it(self, make, value):
        with pytest.raises(ImproperlyConfigured, match=r"^A ") as refused:
            make(A=value).secret("A")
        assert value not in str(refused.value)
        assert make(A=value, DEBUG="true").secret("A") == value

    def test_is_required_in_debug_too(self, make):
        with pytest.raises(ImproperlyConfigured, match="A must be set"):
            make(DEBUG="true").secret("A")


class TestPassword:
    def test_is_as_written_and_may_be_none(self, make):
        assert make(A="$hort").password("A", default="") == "$hort"
        assert make().password("A", default="") == ""

    def test_refuses_a_placeholder(self, make):
        with pytest.raises(ImproperlyConfigured, match="A is a placeholder"):
            make(A="change-me").password("A", default="")
        assert make(A="change-me", DEBUG="true").password("A", default="") == "change-me"


class TestCredentials:
    def test_are_pairs_and_may_be_none(self, make):
        assert make(A="B=c=d,E=test").credentials("A", default={}) == {"B": "c=d", "E": "test"}
        assert make().credentials("A", default={}) == make(A="").credentials("A", default={}) == {}

    def test_refuse_a_placeholder_in_any(self, make):
        with pytest.raises(ImproperlyConfigured, match="A is a placeholder"):
            make(A="B=c,E=change-me").credentials("A", default={})
        assert make(A="B=change-me", DEBUG="true").credentials("A", default={})


class TestIsPlaceholder:
    def test_leaves_real_words_alone(self):
        assert not is_placeholder(GOOD)
        assert not is_placeholder("a secret nobody knows")
        assert not is_placeholder("")


class TestDatabase:
    def test_is_what_django_wants(self, make):
        database = make(**DATABASE).database()
        assert database["ENGINE"] == "service_kit.postgresql"
        assert database["PASSWORD"] == "pa$$word-of-our-own"
        assert (database["HOST"], database["PORT"]) == ("postgres", "5432")
        assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (None, True)

    @pytest.mark.parametrize("name", DATABASE)
    def test_names_what_is_missing(self, make, name):
        rest = {key: value for key, value in DATABASE.items() if key != name}
        with pytest.raises(ImproperlyConfigured, match=name):
            make(**rest).database()

    def test_refuses_a_placeholder(self, make):
        with pytest.raises(ImproperlyConfigured, match="DB_PASSWORD is a placeholder"):
            make(**DATABASE | {"DB_PASSWORD": "change-me"}).database()

    def test_allows_no_password_where_postgres_trusts(self, make):
        assert make(**DATABASE | {"DB_PASSWORD": ""}).database()["PASSWORD"] == ""

    def test_opens_a_real_connection_that_notices_when_we_leave(self, django_db_blocker):
        from django.db.backends.postgresql.base import DatabaseWrapper

        env = Environment("kit")
        from django.db import connections

        settings = connections["default"].settings_dict | env.database()
        with django_db_blocker.unblock():
            wrapper = DatabaseWrapper(settings)
            with wrapper.cursor() as cursor:
                cursor.execute("SHOW client_connection_check_interval")
                assert cursor.fetchone() == ("1s",)
                cursor.execute("SHOW application_name")
                assert cursor.fetchone() == ("kit",)
            wrapper.close()


class TestRedisUrl:
    def test_is_given_whole_or_in_parts(self, make):
        parts = {"REDIS_HOST": "redis", "REDIS_PORT": "6380"}
        assert make(**parts).redis_url() == "redis://redis:6380/0"
        assert make(REDIS_URL="redis://:p@h:1/2", **parts).redis_url() == "redis://:p@h:1/2"

    @pytest.mark.parametrize("password", ["change-me", "password"])
    def test_refuses_a_placeholder(self, make, password):
        url = f"redis://:{password}@redis:6379/0"
        with pytest.raises(ImproperlyConfigured, match="REDIS_URL is a placeholder"):
            make(REDIS_URL=url).redis_url()
        assert make(REDIS_URL=url, DEBUG="true").redis_url() == url

    def test_names_what_is_missing(self, make):
        with pytest.raises(ImproperlyConfigured, match="REDIS_PORT"):
            make(REDIS_HOST="redis").redis_url()


class TestJwt:
    def test_has_defaults(self, make):
        assert make().jwt() == {
            "JWT_ALGORITHM": "EdDSA",
            "JWT_PUBLIC_KEY": "",
            "JWT_SECRET": "",
            "JWT_ISSUER": "parley",
            "JWT_AUDIENCE": "kit",
        }

    def test_reads_a_key_written_in_one_line(self, make):
        assert make(JWT_PUBLIC_KEY="-----A\\nB-----").jwt()["JWT_PUBLIC_KEY"] == "-----A\nB-----"

    def test_takes_a_shared_secret_with_its_algorithm(self, make):
        assert make(JWT_ALGORITHM="HS256", JWT_SECRET=GOOD).jwt()["JWT_SECRET"] == GOOD

    @pytest.mark.parametrize(
        "values",
        [
            {"JWT_ALGORITHM": "none"},
            {"JWT_ALGORITHM": "hs256", "JWT_SECRET": GOOD},
            {"JWT_ALGORITHM": "HS256"},
            {"JWT_ALGORITHM": "HS256", "JWT_PUBLIC_KEY": "k"},
            {"JWT_ALGORITHM": "HS256", "JWT_PUBLIC_KEY": "k", "JWT_SECRET": GOOD},
            {"JWT_SECRET": GOOD},
            {"JWT_ALGORITHM": "HS256", "JWT_SECRET": "change-me"},
            {"JWT_ALGORITHM": "HS256", "JWT_SECRET": "short"},
        ],
    )
    def test_refuses_what_does_not_fit_together(self, make, values):
        with pytest.raises(ImproperlyConfigured):
            make(**values).jwt()


class TestFiles:
    """The files in configs/env start nothing as they are, and name every setting we read."""

    @pytest.fixture(params=["auth_service", "messaging_service"])
    def env(self, request, monkeypatch):
        for name in list(os.environ):
            monkeypatch.delenv(name)
        return Environment(request.param)

    def test_exist(self, env):
        assert (FOLDER / f"{env.service}.env").is_file()
        assert Path(FOLDER).name == "env"

    @pytest.mark.parametrize("name", ["SECRET_KEY", "INTERNAL_SECRET"])
    def test_hold_placeholders_that_are_refused(self, env, name):
        with pytest.raises(ImproperlyConfigured, match="placeholder"):
            env.secret(name)

    def test_hold_no_password(self, env):
        with pytest.raises(ImproperlyConfigured, match="DB_PASSWORD is a placeholder"):
            env.database()

    @pytest.mark.parametrize("name", ["REDIS_URL", "ANYMAIL"])
    def test_suggest_nothing_that_would_be_taken(self, env, make, name):
        text = (FOLDER / f"{env.service}.env").read_text()
        suggested = re.findall(rf"(?m)^#({name}=.+)$", text)
        assert len(suggested) == (name == "REDIS_URL" or env.service == "auth_service")
        for line in suggested:
            there = make(line)
            with pytest.raises(ImproperlyConfigured, match=f"{name} is a placeholder"):
                there.redis_url() if name == "REDIS_URL" else there.credentials(name, default={})

    def test_are_not_in_debug(self, env):
        assert env.is_debug is False

    def test_lead_to_the_containers(self, env):
        assert env.required("DB_HOST") == "postgres"
        assert env.redis_url() == "redis://redis:6379/0"
        assert env.jwt()["JWT_AUDIENCE"] == env.service

    def test_are_understood_line_by_line(self, env, caplog):
        Environment(env.service)
        assert not caplog.records
