from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.db import connection

from accounts.models import User

PATH = "/api/auth/users/"
# None of these spells the id of a user, and none may be more than that.
HOSTILE = [
    *("0", "-1", "1.0", "1e3", "+1", " 1", "0x1", "9" * 19, "9223372036854775808", "9" * 5000),
    *(
        "\u00b2",
        "\u0661",
        "null",
        "true",
        "1;drop table",
        "' OR 1=1",
        "%00",
        "1%00",
        "\ud7ff",
        "..",
        "%2e",
    ),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(alice):
    names = ["Anna", "anton", "ANTONIA", "bert", "a_b", "axb"]
    for name in names:
        User.objects.create(
            username=name, email=f"{name}@example.com", display_name=f"Dr {name}", password="!"
        )
    User.objects.create(
        username="antigone", email="x@x.com", display_name="anti", password="!", is_active=False
    )
    return alice


def found(api, person, **asked):
    answer = api.get(f"{PATH}?{urlencode(asked)}", token=person.access)
    assert answer.status_code == 200, answer.content
    return [row["username"] for row in answer.json()["results"]]


class TestSearchUsers:
    def test_finds_the_beginning_of_a_username_in_any_case(self, api, crowd):
        assert found(api, crowd, search="an") == ["Anna", "anton", "ANTONIA"]
        assert found(api, crowd, search="ANTON") == ["anton", "ANTONIA"]

    def test_finds_the_beginning_of_a_display_name(self, api, crowd):
        User.objects.filter(username="bert").update(display_name="Émile")
        assert found(api, crowd, search="émi") == ["bert"]
        assert found(api, crowd, search="dr B") == []
        assert found(api, crowd, search="Dr ax") == ["axb"]

    def test_shows_a_public_profile_only(self, api, crowd):
        answer = api.get(f"{PATH}?search=anna", token=crowd.access)
        told = answer.json()
        [profile] = told["results"]
        assert set(told) == {"next", "previous", "results"}
        assert profile == {
            "id": str(User.objects.get(username="Anna").pk),
            "username": "Anna",
            "display_name": "Dr Anna",
            "avatar": None,
        }
        assert answer["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("search", ["a_", "a\\_", "%", "a%b", "\\", "_"])
    def test_takes_wildcards_as_they_are(self, api, crowd, search):
        assert found(api, crowd, search=search) == (["a_b"] if search == "a_" else [])

    @pytest.mark.parametrize("size", [1, 2, 3, 4])
    def test_pages_through_everybody_and_back(self, api, crowd, size):
        # By bytes, whatever the language of the database.
        everybody = ["a_b", "alice", "Anna", "anton", "ANTONIA", "axb"]
        assert found(api, crowd, search="a") == everybody
        url, pages = f"{PATH}?search=a&page_size={size}", []
        while url:
            page = api.get(url, token=crowd.access).json()
            pages.append(page)
            url = page["next"]
        assert [row["username"] for page in pages for row in page["results"]] == everybody
        assert pages[0]["previous"] is None
        backwards = [pages[-1]]
        while backwards[-1]["previous"]:
            backwards.append(api.get(backwards[-1]["previous"], token=crowd.access).json())
        seen = [row["username"] for page in reversed(backwards) for row in page["results"]]
        assert seen == everybody
        assert backwards[-1]["previous"] is None

    def test_links_keep_what_was_asked(self, api, crowd):
        page = api.get(f"{PATH}?search=a&page_size=2", token=crowd.access).json()
        link = urlsplit(page["next"])
        assert (link.scheme, link.netloc, link.path) == ("http", "testserver", PATH)
        assert "search=a" in link.query
        assert "page_size=2" in link.query

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("", "search"),
            ("search=", "search"),
            ("search=%20", "search"),
            ("search=%00", "search"),
            ("search=a%00", "search"),
            (f"search={'a' * 65}", "search"),
            ("search=a&page_size=0", "page_size"),
            ("search=a&page_size=101", "page_size"),
            ("search=a&page_size=x", "page_size"),
            (f"search=a&page_size={'9' * 5000}", "page_size"),
            ("search=a&cursor=", "cursor"),
            ("search=a&cursor=x", "cursor"),
            ("search=a&cursor=%00", "cursor"),
            ("search=a&cursor=PicgT1IgMT0x", "cursor"),
            (f"search=a&cursor={'a' * 3000}", "cursor"),
        ],
    )
    def test_refuses_a_malformed_question(self, api, crowd, refusal, query, field):
        told = refusal(api.get(f"{PATH}?{query}", token=crowd.access), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]

    @pytest.mark.parametrize("query", ["search=%ff%fe", "search=%ed%a0%80", "search=%F0%9F%98%80"])
    def test_finds_nobody_for_what_is_no_name(self, api, crowd, query):
        answer = api.get(f"{PATH}?{query}", token=crowd.access)
        assert (answer.status_code, answer.json()["results"]) == (200, [])

    def test_refuses_a_stranger(self, api, refusal):
        refusal(api.get(f"{PATH}?search=a"), 401, "not_authenticated")

    def test_takes_as_many_queries_for_one_as_for_all(self, api, crowd, django_assert_num_queries):
        for search in ("anna", "a"):
            with django_assert_num_queries(2):
                found(api, crowd, search=search)

    def test_reads_an_index(self, crowd):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT 1 FROM accounts_user WHERE lower(username) LIKE lower('an%')"
                " OR lower(display_name) LIKE lower('an%')"
            )
            plan = str(cursor.fetchall())
        assert "user_username_unique" in plan
        assert "user_display_name_prefix" in plan


class TestShowUser:
    def test_shows_a_person_by_id(self, api, alice, bob):
        answer = api.get(f"{PATH}{bob.id}/", token=alice.access)
        assert answer.json() == {
            "id": bob.id,
            "username": "bob",
            "display_name": "bob",
            "avatar": None,
        }

    @pytest.mark.parametrize("username", ["bob", "BOB"])
    def test_shows_a_person_by_username(self, api, alice, bob, username):
        answer = api.get(f"{PATH}by-username/{username}/", token=alice.access)
        assert (answer.status_code, answer.json()["id"]) == (200, bob.id)

    @pytest.mark.parametrize("text", HOSTILE)
    @pytest.mark.parametrize("place", ["", "by-username/"])
    def test_finds_nobody_for_a_hostile_id(self, api, alice, refusal, place, text):
        path = f"{PATH}{place}{text if '%' in text else quote(text)}/"
        refusal(api.get(path, token=alice.access), 404, "not_found")

    def test_takes_ascii_digits_alone_for_an_id(self, api, alice, bob, refusal):
        arabic = "".join(chr(0x660 + int(digit)) for digit in bob.id)
        for text in (arabic, f"0x{int(bob.id):x}", f"+{bob.id}", f"{bob.id}.0", f" {bob.id}"):
            refusal(api.get(f"{PATH}{quote(text)}/", token=alice.access), 404, "not_found")

    def test_finds_nobody_by_an_address(self, api, alice, bob, refusal):
        path = f"{PATH}by-username/bob@example.com/"
        refusal(api.get(path, token=alice.access), 404, "not_found")

    def test_hides_a_deactivated_person_as_if_unknown(self, api, alice, bob, refusal):
        User.objects.filter(pk=bob.id).update(is_active=False)
        paths = (f"{bob.id}/", "by-username/bob/", "77777/", "by-username/nobody/")
        told = [
            refusal(api.get(PATH + path, token=alice.access), 404, "not_found") for path in paths
        ]
        assert all(body == told[0] for body in told)

    @pytest.mark.parametrize("path", ["1/", "by-username/alice/"])
    def test_refuses_a_stranger(self, api, alice, refusal, path):
        refusal(api.get(PATH + path), 401, "not_authenticated")
