"""Migrations can run while the version before them still serves."""

from service_kit.testing.migrations import faults_of

# Until a first release nobody upgrades: what is older may do as it likes.
UNRELEASED = "0005_security"


def test_none_harms_the_version_before(django_db_setup, django_db_blocker):
    # Not in a transaction, in which no index can be made concurrently.
    with django_db_blocker.unblock():
        assert faults_of("accounts", after=UNRELEASED) == []
