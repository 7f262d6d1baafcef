from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Event, Session, User

pytestmark = pytest.mark.django_db


def run(*words):
    said = StringIO()
    call_command(*words, stdout=said)
    return said.getvalue()


class TestDeactivateAndReactivate:
    def test_close_an_account_and_open_it_again(self, api, alice):
        assert run("deactivate", "ALICE") == "alice is deactivated.\n"
        assert not User.objects.get().is_active
        assert Session.objects.get().ended_at is not None
        assert run("reactivate", "alice@example.com") == "alice is reactivated.\n"
        login = {"username": "alice", "password": "correct horse battery"}
        assert api.post("/api/auth/login/", login).status_code == 200
        kinds = [event.type for event in Event.objects.order_by("pk")]
        assert kinds == ["sessions.ended", "user.changed", "user.changed"]

    def test_do_nothing_the_second_time(self, alice):
        for word in ("reactivate", "deactivate", "deactivate"):
            run(word, "alice")
        assert Event.objects.count() == 2

    @pytest.mark.parametrize("word", ["deactivate", "reactivate"])
    def test_refuse_whom_nobody_knows(self, word):
        with pytest.raises(CommandError, match="no such account"):
            run(word, "nobody")
