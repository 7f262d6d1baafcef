"""`manage.py new_epoch`: clients that remember positions start over."""

from io import StringIO

from django.core.management import call_command

from messaging.management.commands.new_epoch import Command
from messaging.models import Epoch
from messaging.queries.positions import current_epoch


class TestNewEpoch:
    def test_is_another_and_is_printed(self):
        before, printed = current_epoch(), StringIO()
        call_command("new_epoch", stdout=printed)
        assert printed.getvalue() == f"{current_epoch()}\n"
        assert current_epoch() != before
        assert Epoch.objects.count() == 1

    def test_makes_what_clients_remember_incomplete(self, api, alice, room):
        def changes(epoch):
            path = f"rooms/{room}/changes/?after=0&epoch={epoch}"
            return api.get(path, token=alice.token).json()

        before = current_epoch()
        assert changes(before)["complete"] is True
        call_command("new_epoch", stdout=StringIO())
        assert changes(before)["complete"] is False
        assert changes(current_epoch())["complete"] is True

    def test_says_what_it_is_for(self):
        printed = StringIO()
        Command().create_parser("manage.py", "new_epoch").print_help(printed)
        assert "restored from a backup" in " ".join(printed.getvalue().split())
