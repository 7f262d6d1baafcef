import json
from datetime import timedelta
from io import StringIO

import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.actions.keys import rotate_signing_keys
from accounts.keys import current
from accounts.keys.current import retirement, signing_key
from accounts.keys.files import new_key, root_key
from accounts.keys.sealing import seal, unseal
from accounts.models import StoredKey

JWKS = "/.well-known/jwks.json"
LOGIN = {"username": "alice", "password": "correct horse battery"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reread():
    """Begin, and end, with no view of the keys."""
    current._view.forget()
    yield current._view.forget
    current._view.forget()


@pytest.fixture
def rotate(reread):
    """Rotate as if the next key had been published an hour ago."""

    def act():
        StoredKey.objects.filter(state="next").update(
            published_at=timezone.now() - timedelta(hours=1, seconds=1)
        )
        rotate_signing_keys()
        reread()

    return act


def published(api):
    return [key["kid"] for key in api.get(JWKS).json()["keys"]]


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def states():
    return dict(StoredKey.objects.values_list("state", "key_id"))


class TestRotation:
    """Rule 9."""

    def test_begins_by_publishing_a_next_key(self, api, alice, rotate):
        rotate()
        kept = states()
        assert (set(kept), kept["active"]) == ({"active", "next"}, root_key().key_id)
        assert set(published(api)) == set(kept.values())
        assert kid_of(api.post("/api/auth/login/", LOGIN).json()["access"]) == kept["active"]

    def test_then_signs_with_it_and_still_takes_the_old_ones(self, api, alice, rotate):
        rotate()
        awaited = states()["next"]
        rotate()
        access = api.post("/api/auth/login/", LOGIN).json()["access"]
        kept = states()
        assert (kept["active"], kept["retired"]) == (awaited, root_key().key_id)
        assert kid_of(access) == awaited
        assert set(published(api)) == set(kept.values())
        for token in (alice.access, access):
            assert api.get("/api/auth/me/", token=token).status_code == 200

    def test_takes_nothing_of_a_key_past_its_time(self, api, alice, rotate, reread, refusal):
        rotate()
        rotate()
        old = StoredKey.objects.filter(state="retired")
        limit = timezone.now() - retirement()
        old.update(retired_at=limit + timedelta(seconds=5))
        assert api.get("/api/auth/me/", token=alice.access).status_code == 200
        old.update(retired_at=limit - timedelta(seconds=1))
        reread()
        refusal(api.get("/api/auth/me/", token=alice.access), 401, "not_authenticated")
        assert root_key().key_id not in published(api)
        rotate()
        assert not StoredKey.objects.filter(pk=root_key().key_id).exists()

    def test_keeps_a_retired_key_longer_than_its_tokens(self, settings):
        longest = settings.ACCESS_TOKEN_SECONDS + 30 + current.REREAD_SECONDS
        assert retirement() > timedelta(seconds=longest)

    def test_waits_for_the_next_key_to_be_known(self, rotate):
        rotate()
        before = list(StoredKey.objects.order_by("pk").values())
        with pytest.raises(CommandError, match="may not sign before"):
            call_command("rotate_signing_keys")
        StoredKey.objects.filter(state="next").update(
            published_at=timezone.now() - timedelta(minutes=59)
        )
        with pytest.raises(CommandError):
            call_command("rotate_signing_keys")
        assert [row["state"] for row in before] == [
            row.state for row in StoredKey.objects.order_by("pk")
        ]

    def test_tells_which_keys_there_are(self):
        said = StringIO()
        call_command("rotate_signing_keys", stdout=said)
        words = [line.split() for line in said.getvalue().splitlines()]
        assert words == [[state, "EdDSA", states()[state]] for state in ("active", "next")]

    def test_makes_keys_of_the_kind_in_the_settings(self, api, alice, settings, rotate):
        """Rule 1: from EdDSA to RS256 and back."""
        settings.JWT_ALGORITHM = "RS256"
        rotate()
        settings.JWT_ALGORITHM = "EdDSA"
        rotate()
        access = api.post("/api/auth/login/", LOGIN).json()["access"]
        assert jwt.get_unverified_header(access)["alg"] == "RS256"
        for token in (alice.access, access):
            assert api.get("/api/auth/me/", token=token).status_code == 200

    @pytest.mark.parametrize("change", [{"JWT_SECRET": "s" * 32}, {"JWT_ALGORITHM": "ES256"}])
    def test_leaves_alone_what_it_cannot_make(self, settings, change):
        for name, value in change.items():
            setattr(settings, name, value)
        with pytest.raises(CommandError, match="EdDSA and RS256"):
            call_command("rotate_signing_keys")
        assert not StoredKey.objects.exists()

    def test_starts_over_with_another_file(self, api, alice, rotate, reread, refusal):
        """For a stolen key: what the old file sealed and signed counts no more."""
        rotate()
        rotate()
        access = api.post("/api/auth/login/", LOGIN).json()["access"]
        StoredKey.objects.update(root="a" * 43)
        reread()
        assert published(api) == [root_key().key_id]
        refusal(api.get("/api/auth/me/", token=access), 401, "not_authenticated")


class TestStoredKeys:
    """Rule 1."""

    def test_are_of_no_use_without_the_root_key(self, rotate):
        rotate()
        key = signing_key()
        raw = key.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        row = StoredKey.objects.get(pk=key.key_id)
        assert raw not in bytes(row.sealed)
        assert raw.hex() not in json.dumps(row.public)
        assert unseal(bytes(row.sealed), row.pk).key_id == row.pk

    def test_cannot_be_exchanged_or_changed(self):
        one, other = new_key("EdDSA"), new_key("EdDSA")
        with pytest.raises(InvalidTag):
            unseal(seal(one), other.key_id)
        with pytest.raises(InvalidTag):
            unseal(seal(one)[:-1] + b"x", one.key_id)


class TestView:
    def test_costs_no_query_for_five_seconds(self, api, alice, django_assert_num_queries):
        api.get(JWKS)
        with django_assert_num_queries(0):
            api.get(JWKS)
        current._view._read_at -= current.REREAD_SECONDS
        with django_assert_num_queries(1):
            api.get(JWKS)

    def test_outlives_postgres_for_reading_alone(self, api, alice, caplog):
        def fail(*_):
            raise OperationalError

        kids = published(api)
        current._view._read_at -= current.REREAD_SECONDS
        with connection.execute_wrapper(fail):
            with pytest.raises(OperationalError):
                signing_key()
            assert published(api) == kids
        assert "keys were not read again" in caplog.text
