import pytest

from accounts.models import User

PATH = "/internal/users/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(settings):
    return settings.INTERNAL_SECRET


class TestInternalUsers:
    """Rule 28, besides: the services' credential opens this alone, and no other opens it."""

    @pytest.mark.parametrize("ask", ["ids={alice},{bob}", "usernames=alice,BOB"])
    def test_tells_who_people_are(self, api, alice, bob, secret, ask):
        hidden = {"find_me": "nobody", "last_seen": "contacts", "read_receipts": False}
        changed = {"is_active": False, "display_name": "Bob B.", "avatar": "x/y.webp"}
        User.objects.filter(pk=bob.id).update(**changed, **hidden)
        answer = api.get(f"{PATH}?{ask.format(alice=alice.id, bob=bob.id)}", token=secret)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert answer.json() == {
            "results": [
                {
                    "id": alice.id,
                    "username": "alice",
                    "display_name": "alice",
                    "avatar": None,
                    "is_active": True,
                    "privacy": {
                        "find_me": "everyone",
                        "last_seen": "everyone",
                        "read_receipts": True,
                    },
                },
                {
                    "id": bob.id,
                    "username": "bob",
                    "display_name": "Bob B.",
                    "avatar": "/api/auth/avatars/x/y.webp",
                    "is_active": False,
                    "privacy": hidden,
                },
            ]
        }

    @pytest.mark.parametrize(
        "ask",
        [
            *(
                "ids=0",
                "ids=9223372036854775808",
                "ids=99999999999999999999",
                "ids=x,-1,%2B1,1e1",
                "ids=,",
                "ids=१",
            ),
            *("usernames=nobody", "usernames=%ff", "usernames=,", "usernames=alice%20b"),
        ],
    )
    def test_leaves_out_whom_nobody_knows(self, api, alice, secret, ask):
        answer = api.get(f"{PATH}?{ask}", token=secret)
        assert (answer.status_code, answer.json()) == (200, {"results": []})

    @pytest.mark.parametrize(
        "ask", ["", "ids=", "ids=1&usernames=a", "usernames=a%00", "ids=" + "1," * 100 + "1"]
    )
    def test_refuses_a_malformed_question(self, api, secret, refusal, ask):
        refusal(api.get(f"{PATH}?{ask}", token=secret), 400, "invalid")

    def test_answers_a_hundred_in_one_query(self, api, alice, secret, django_assert_num_queries):
        for names in (["alice"], [f"n{number}" for number in range(100)]):
            with django_assert_num_queries(1):
                assert (
                    api.get(f"{PATH}?usernames={','.join(names)}", token=secret).status_code == 200
                )

    def test_refuses_a_person(self, api, alice, secret, refusal):
        for token in (None, "", alice.access, secret[:-1], secret + "x", "é"):
            refusal(api.get(f"{PATH}?ids={alice.id}", token=token), 401, "not_authenticated")

    def test_lets_the_credential_open_nothing_else(self, api, alice, secret, refusal):
        for path in ("/api/auth/me/", f"/api/auth/users/{alice.id}/"):
            refusal(api.get(path, token=secret), 401, "not_authenticated")
