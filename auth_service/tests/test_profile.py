"""What people say of themselves, what they let others know, and who therefore finds them."""

from urllib.parse import quote

import pytest

from accounts.actions.leaving.erasing import erase_account
from accounts.actions.profile import change_profile
from accounts.errors import SessionOver
from accounts.models import Event, Session, User

PATH = "/api/auth/me/"
USERS = "/api/auth/users/"
EVERYTHING = {"find_me": "everyone", "last_seen": "everyone", "read_receipts": True}

SHOWN = {
    "emoji": "🦊",
    "a family": "👩‍👩‍👧‍👦",
    "a flag of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "an emoji newer than ours": "\U0001fae9",
    "look-alikes": "\u0430lice",
    "Arabic": "\u0623\u0644\u064a\u0633",
    "a mark of direction": "\u0623\u200f!",
    "a joiner that matters": "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
    "one sign": "?",
    "as long as can be": "x" * 64,
}
HOSTILE = {
    **{f"{ord(each):x}": f"a{each}b" for each in "\u202a\u202b\u202c\u202d\u202e"},
    **{f"{ord(each):x}": f"a{each}b" for each in "\u2066\u2067\u2068\u2069"},
    "a line": "a\nb",
    "a line of Unicode": "a\u2028b",
    "a bell": "a\x07",
    "C1": "a\x9b31m",
    "a joiner alone": "\u200d",
    "nothing wide": "\u200b\u2060\ufeff",
    "blanks and nothing": "\u00a0\u200b\u3000",
    "a filler": "\u3164",
    "fillers": "\uffa0\u115f\u1160\u2800",
    "marks on nothing": "\u0301\u0302",
    "a variation of nothing": "\ufe0f",
    "tags of nothing": "\U000e0067\U000e007f",
    "one too long": "x" * 65,
    "500": "x" * 500,
    "500 marks": "x" + "\u0301" * 499,
    "10,000 marks": "x" + "\u0301\u0316" * 5_000,
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(api, alice):
    return lambda **asked: api.patch(PATH, asked, token=alice.access)


def kept():
    return User.objects.values().get(username="alice"), Event.objects.count()


class TestName:
    @pytest.mark.parametrize("name", SHOWN.values(), ids=SHOWN)
    def test_may_show_anything(self, api, alice, change, name):
        assert change(display_name=name).json()["display_name"] == name
        assert api.get(f"{USERS}{alice.id}/", token=alice.access).json()["display_name"] == name

    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_is_refused_if_it_hides_or_turns_round(self, api, change, refusal, name):
        before = kept()
        told = refusal(change(display_name=name), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == ["display_name"]
        assert kept() == before
        asked = {"username": "eve", "email": "eve@example.com", "password": "correct horse"}
        told = refusal(
            api.post("/api/auth/register/", asked | {"display_name": name}), 400, "invalid"
        )
        assert [error["field"] for error in told["errors"]] == ["display_name"]
        assert not User.objects.filter(username="eve").exists()

    def test_is_kept_in_one_form(self, api, alice, change):
        composed = "\u00e9" * 64
        assert change(display_name="e\u0301" * 64).json()["display_name"] == composed
        found = api.get(f"{USERS}?search={quote('e' + chr(0x301))}", token=alice.access).json()
        assert [row["id"] for row in found["results"]] == [alice.id]

    def test_may_be_as_long_as_that_in_this_form(self, change, refusal):
        # One sign each, which NFC writes as two.
        assert change(display_name="\u0958" * 32).status_code == 200
        refusal(change(display_name="\u0958" * 33), 400, "invalid")


class TestTheRestOfAProfile:
    @pytest.mark.parametrize(
        ("field", "asked", "shown"),
        [
            ("bio", "x" * 500, "x" * 500),
            ("bio", " Two\r\nlines 🦊 ", "Two\nlines 🦊"),
            ("bio", "", ""),
            ("time_zone", "Europe/Berlin", "Europe/Berlin"),
            ("time_zone", "America/Argentina/ComodRivadavia", "America/Argentina/ComodRivadavia"),
            ("time_zone", "UTC", "UTC"),
            ("locale", "EN", "en"),
            ("locale", "pt-br", "pt-BR"),
            ("locale", "zh-hant-tw", "zh-Hant-TW"),
            ("locale", "es-419", "es-419"),
            ("locale", "de-DE-u-CO-phonebk", "de-DE-u-co-phonebk"),
            ("locale", "en-US-x-twain", "en-US-x-twain"),
        ],
    )
    def test_is_kept_and_shown(self, api, alice, change, field, asked, shown):
        answer = change(**{field: asked})
        assert answer.status_code == 200, answer.content
        assert answer.json()[field] == shown
        assert api.get(PATH, token=alice.access).json() == answer.json()
        before = User.objects.values().get()
        assert before[field] == shown

    @pytest.mark.parametrize(
        ("field", "asked"),
        [
            ("bio", "x" * 501),
            ("bio", "a\tb"),
            ("bio", "a\u2028b"),
            ("bio", None),
            ("bio", 5),
            ("time_zone", ""),
            ("time_zone", "Europe/Atlantis"),
            ("time_zone", "europe/berlin"),
            ("time_zone", "../../etc/passwd"),
            ("time_zone", "/etc/localtime"),
            ("time_zone", "+02:00"),
            ("time_zone", "x" * 65),
            ("time_zone", None),
            ("locale", ""),
            ("locale", "e"),
            ("locale", "en_US"),
            ("locale", "en-"),
            ("locale", "-en"),
            ("locale", "en-US.UTF-8"),
            ("locale", "e\u0301n"),
            ("locale", "en" + "-abcdefgh" * 3 + "-abcdefg"),
            ("locale", ["en"]),
        ],
    )
    def test_is_refused_where_it_is_malformed(self, change, refusal, field, asked):
        before = kept()
        told = refusal(change(**{field: asked, "display_name": "Al"}), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]
        assert kept() == before

    def test_longest_locale(self, change):
        longest = "en" + "-abcdefgh" * 3 + "-abcde"
        assert len(longest) == 35
        assert change(locale=longest).json()["locale"] == longest

    def test_is_changed_by_nobody_who_was_erased_meanwhile(self, alice):
        session = Session.objects.select_related("user").get(user=alice.id)
        erase_account(user_id=int(alice.id))
        with pytest.raises(SessionOver):
            change_profile(session=session, display_name="Al")
        assert not User.objects.exists()


class TestPrivacy:
    @pytest.mark.parametrize(
        ("switch", "value"),
        [
            ("find_me", "nobody"),
            ("last_seen", "contacts"),
            ("last_seen", "nobody"),
            ("read_receipts", False),
        ],
    )
    def test_is_changed_one_by_one(self, api, alice, bob, change, switch, value):
        changed = EVERYTHING | {switch: value}
        assert change(privacy={switch: value}).json()["privacy"] == changed
        assert api.get(PATH, token=alice.access).json()["privacy"] == changed
        assert api.get(PATH, token=bob.access).json()["privacy"] == EVERYTHING
        assert change(privacy={}).json()["privacy"] == changed

    @pytest.mark.parametrize(
        "privacy",
        [
            {"find_me": "contacts"},
            {"find_me": True},
            {"find_me": None},
            {"last_seen": "friends"},
            {"last_seen": ""},
            {"last_seen": ["nobody"]},
            {"read_receipts": "sometimes"},
            {"read_receipts": None},
            {"read_receipts": False, "find_me": "x"},
            "nobody",
            None,
            [],
        ],
    )
    def test_takes_nothing_else(self, change, refusal, privacy):
        before = kept()
        refusal(change(privacy=privacy, display_name="Al"), 400, "invalid")
        assert kept() == before


class TestWhoWantsNotToBeFound:
    @pytest.fixture
    def hidden(self, change, alice):
        change(privacy={"find_me": "nobody"})
        return alice

    def test_is_not(self, api, hidden, bob, refusal):
        found = api.get(f"{USERS}?search=ali", token=bob.access).json()
        assert found == {"next": None, "previous": None, "results": []}
        ways = (f"{hidden.id}/", "by-username/alice/", "by-username/ALICE/")
        told = [refusal(api.get(USERS + way, token=bob.access), 404, "not_found") for way in ways]
        nobody = refusal(api.get(f"{USERS}by-username/zoe/", token=bob.access), 404, "not_found")
        assert told == [nobody] * 3

    def test_finds_himself_and_others(self, api, hidden, bob):
        found = api.get(f"{USERS}?search=ali", token=hidden.access).json()["results"]
        assert [row["id"] for row in found] == [hidden.id]
        for way in (f"{hidden.id}/", "by-username/alice/", f"{bob.id}/"):
            assert api.get(USERS + way, token=hidden.access).status_code == 200

    def test_is_found_again_when_he_wants(self, api, hidden, bob, change):
        change(privacy={"find_me": "everyone"})
        assert api.get(f"{USERS}{hidden.id}/", token=bob.access).status_code == 200
