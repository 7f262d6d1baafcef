from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.actions.closing import deactivate
from accounts.models import Event, Session

PATH = "/api/auth/sessions/"
PASSWORD = "correct horse battery"
LOGIN = {"username": "alice", "password": PASSWORD}

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(api, alice):
    """Log alice in on another device."""
    headers = {"User-Agent": "Phone/1.0", "X-Real-IP": "::ffff:203.0.113.9"}
    return api.send("POST", "/api/auth/login/", LOGIN, **headers).json()


class TestList:
    def test_tells_where_one_is_logged_in(self, api, alice, phone, bob):
        answer = api.get(PATH, token=alice.access)
        told = answer.json()
        newest, oldest = told.pop("results")
        assert answer.status_code == 200
        assert told == {"next": None, "previous": None}
        for session in (newest, oldest):
            assert parse_datetime(session.pop("created_at")) <= timezone.now()
            assert parse_datetime(session.pop("last_used_at")) <= timezone.now()
        sids = [str(each.pk) for each in Session.objects.order_by("created_at")[:2]]
        assert oldest == {"id": sids[0], "device": "", "address": "127.0.0.1", "current": True}
        assert newest == {
            "id": sids[1],
            "device": "Phone/1.0",
            "address": "203.0.113.9",
            "current": False,
        }

    def test_leaves_out_what_has_ended(self, api, alice):
        """Rule 4: ended, unused for too long or too old."""
        for change in (
            {"ended_at": timezone.now()},
            {"last_used_at": timezone.now() - timedelta(days=14, seconds=1)},
            {"created_at": timezone.now() - timedelta(days=30, seconds=1)},
        ):
            refresh = api.post("/api/auth/login/", LOGIN).json()["refresh"]
            Session.objects.filter(pk=refresh[:32]).update(**change)
        assert len(api.get(PATH, token=alice.access).json()["results"]) == 1

    def test_comes_in_pages(self, api, alice):
        begun = Session.objects.get().created_at
        owner = Session.objects.get().user
        # Two of one moment must not fall between pages.
        for hours in (1, 1, 2):
            moment = begun - timedelta(hours=hours)
            Session.objects.create(
                user=owner, created_at=moment, last_used_at=begun, refresh_hash=uuid4().bytes * 2
            )
        whole = [each["id"] for each in api.get(PATH, token=alice.access).json()["results"]]
        url, seen, pages = f"{PATH}?page_size=1", [], []
        while url:
            pages.append(api.get(url, token=alice.access).json())
            seen += [each["id"] for each in pages[-1]["results"]]
            url = pages[-1]["next"]
        assert len(seen) == 4
        assert seen == whole
        back = api.get(pages[-1]["previous"], token=alice.access).json()
        assert back["results"] == pages[-2]["results"]

    @pytest.mark.parametrize(
        "ask", ["?page_size=0", "?page_size=101", "?page_size=x", "?cursor=x", "?cursor=é"]
    )
    def test_refuses_a_malformed_question(self, api, alice, refusal, ask):
        refusal(api.get(PATH + ask, token=alice.access), 400, "invalid")

    def test_has_no_place_for_a_cursor_of_somebody_else(self, api, alice, bob):
        url = api.get(f"{PATH}?page_size=1&cursor=PmFiYw", token=alice.access)
        assert url.json()["results"] == []

    def test_shows_a_hostile_device_harmlessly(self, api, alice):
        agent = "A\x00\x1b[31m\u00e9" + "x" * 500
        api.send("POST", "/api/auth/login/", LOGIN, **{"User-Agent": agent})
        device = api.get(PATH, token=alice.access).json()["results"][0]["device"]
        assert device == "A[31m\u00e9" + "x" * 194

    def test_does_not_believe_a_forwarded_address(self, api, alice):
        api.send("POST", "/api/auth/login/", LOGIN, **{"X-Forwarded-For": "198.51.100.7"})
        assert api.get(PATH, token=alice.access).json()["results"][0]["address"] == "127.0.0.1"


class TestEndingOne:
    def test_ends_that_one(self, api, alice, phone, refusal):
        """Rule 10: and the other service is told."""
        sid = phone["refresh"][:32]
        answer = api.send("DELETE", f"{PATH}{sid}/", token=alice.access)
        assert (answer.status_code, answer.content) == (204, b"")
        refusal(api.get(PATH, token=phone["access"]), 401, "session_revoked")
        refusal(
            api.post("/api/auth/refresh/", {"refresh": phone["refresh"]}), 401, "not_authenticated"
        )
        assert len(api.get(PATH, token=alice.access).json()["results"]) == 1
        told = Event.objects.get().data
        assert ([sid.replace("-", "") for sid in told["sids"]], told["reason"]) == ([sid], "ended")

    def test_may_be_this_one(self, api, alice, refusal):
        sid = api.get(PATH, token=alice.access).json()["results"][0]["id"]
        assert api.send("DELETE", f"{PATH}{sid}/", token=alice.access).status_code == 204
        refusal(api.get(PATH, token=alice.access), 401, "session_revoked")

    def test_knows_only_ones_own_that_live(self, api, alice, bob, phone, refusal):
        theirs = str(Session.objects.get(user_id=bob.id).pk)
        mine = str(Session.objects.get(pk=phone["refresh"][:32]).pk)
        api.send("DELETE", f"{PATH}{mine}/", token=alice.access)
        for sid in (theirs, mine, str(uuid4()), "x", "%00"):
            refusal(api.send("DELETE", f"{PATH}{sid}/", token=alice.access), 404, "not_found")
        assert Session.objects.filter(ended_at=None).count() == 2
        assert Event.objects.count() == 1


class TestLogoutAll:
    PATH = "/api/auth/logout-all/"

    def test_ends_every_session_of_the_caller(self, api, alice, bob, phone, refusal):
        """Rule 10: and the other service is told of all of them."""
        answer = api.post(self.PATH, token=phone["access"])
        assert (answer.status_code, answer.content) == (204, b"")
        for token in (alice.access, phone["access"]):
            refusal(api.get(PATH, token=token), 401, "session_revoked")
        assert api.get(PATH, token=bob.access).status_code == 200
        told = Event.objects.get().data
        ended = Session.objects.filter(user_id=alice.id).values_list("pk", flat=True)
        assert (set(told["sids"]), told["reason"]) == ({str(sid) for sid in ended}, "logout_all")

    def test_is_not_for_a_session_that_has_ended(self, api, alice, phone, refusal):
        api.post("/api/auth/logout/", token=phone["access"])
        refusal(api.post(self.PATH, token=phone["access"]), 401, "session_revoked")
        assert api.get(PATH, token=alice.access).status_code == 200
        assert Event.objects.count() == 1


class TestDeactivating:
    def test_ends_every_session_and_is_told(self, api, alice, phone, settings, refusal):
        """Rule 10."""
        deactivate(user_id=int(alice.id))
        refusal(api.get(PATH, token=alice.access), 401, "session_revoked")
        refusal(api.post("/api/auth/login/", LOGIN), 401, "not_authenticated")
        answer = api.get("/internal/events/?after=0", token=settings.INTERNAL_SECRET)
        ended, changed = answer.json()["events"]
        assert (len(ended["data"]["sids"]), ended["data"]["reason"]) == (2, "deactivated")
        assert (changed["type"], changed["data"]["active"]) == ("user.changed", False)
