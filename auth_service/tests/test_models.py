import pytest
from django.db import IntegrityError, transaction

from accounts.models import User

pytestmark = pytest.mark.django_db

GOOD = {"username": "alice", "email": "a@example.com", "display_name": "A", "password": "!"}


class TestUserConstraints:
    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ({"username": "ALICE"}, "user_username_unique"),
            ({"email": "A@EXAMPLE.COM"}, "user_email_unique"),
            ({"username": "12345"}, "user_username_form"),
            ({"username": "a b"}, "user_username_form"),
            ({"username": "a\n"}, "user_username_form"),
            ({"username": ""}, "user_username_form"),
            ({"display_name": ""}, "user_display_name_present"),
        ],
    )
    def test_hold_in_the_database(self, change, constraint):
        User.objects.create(**GOOD)
        other = GOOD | {"username": "other", "email": "other@example.com"} | change
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            User.objects.create(**other)
        assert User.objects.count() == 1
