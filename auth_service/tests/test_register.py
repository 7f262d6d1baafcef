import pytest

from accounts.models import Mail, Session, User

PATH = "/api/auth/register/"
GOOD = {"username": "Alice", "email": "Alice@Example.com", "password": "correct horse battery"}

pytestmark = pytest.mark.django_db


class TestRegister:
    def test_answers_with_the_user_and_tokens(self, api):
        answer = api.post(PATH, GOOD | {"display_name": "Alice A."})
        told = answer.json()
        user = User.objects.get()
        assert answer.status_code == 201
        assert set(told) == {"user", "access", "refresh"}
        created_at = told["user"].pop("created_at")
        assert told["user"] == {
            "id": str(user.pk),
            "username": "Alice",
            "email": "Alice@Example.com",
            "display_name": "Alice A.",
            "bio": "",
            "avatar": None,
            "time_zone": "UTC",
            "locale": "en",
            "email_verified": False,
            "mfa_enabled": False,
            "privacy": {"find_me": "everyone", "last_seen": "everyone", "read_receipts": True},
        }
        assert created_at == user.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert answer["Cache-Control"] == "no-store"

    def test_opens_a_session_that_works(self, api):
        access = api.post(PATH, GOOD).json()["access"]
        assert api.get("/api/auth/me/", token=access).json()["username"] == "Alice"
        assert Session.objects.count() == 1

    def test_takes_the_username_where_no_display_name_is_given(self, api):
        for index, extra in enumerate(({}, {"display_name": ""}, {"display_name": "   "})):
            named = GOOD | {"username": f"a{index}", "email": f"a{index}@example.com"}
            assert api.post(PATH, named | extra).json()["user"]["display_name"] == f"a{index}"

    def test_keeps_the_password_as_an_argon2_hash_only(self, api):
        api.post(PATH, GOOD)
        stored = User.objects.get().password
        assert stored.startswith("argon2$argon2id$v=19$m=19456,t=5,p=1$")
        assert GOOD["password"] not in stored

    def test_keeps_blanks_of_a_password(self, api):
        api.post(PATH, GOOD | {"password": "  two blanks  "})
        login = {"username": "alice", "password": "two blanks"}
        assert api.post("/api/auth/login/", login).status_code == 401
        login["password"] = "  two blanks  "
        assert api.post("/api/auth/login/", login).status_code == 200

    def test_ignores_fields_that_are_not_for_the_caller(self, api):
        extra = {"id": 77, "is_active": False, "email_verified": True, "created_at": "2001-01-01"}
        told = api.post(PATH, GOOD | extra | {"is_staff": True, "is_superuser": True}).json()
        user = User.objects.get()
        assert user.is_active
        assert user.pk != 77
        assert user.created_at.year > 2001
        assert told["user"]["email_verified"] is False

    @pytest.mark.parametrize("username", ["a", "A" * 32, "a.b-c_d", "1a", "..a", "-x", "4lice2"])
    def test_accepts_a_username_of_the_form(self, api, username):
        assert api.post(PATH, GOOD | {"username": username}).status_code == 201

    @pytest.mark.parametrize(
        "field_and_value",
        [
            ("username", value)
            for value in (
                *("", " ", "A" * 33, "123", "..", "_", "a b", "a@b", "a/b", "ünal"),
                *("\uff41\uff42", "a\u200b", None, 5, True, ["a"], {"a": 1}),
            )
        ]
        + [
            ("email", value)
            for value in (
                *("", "alice", "@example.com", "a@b@c.com", "a b@c.com", "a@localhost\n.com"),
                *("a" * 243 + "@example.com", None, 5, ["a@b.com"]),
            )
        ]
        + [
            ("password", value)
            for value in ("", "short 7", "x" * 129, "84736259017", "alice1234", None, 12345678)
        ]
        + [("display_name", value) for value in ("x" * 65, "a\nb", "a\u2028b", "\x1b[31m", 5, [])],
    )
    def test_refuses_a_malformed_field(self, api, refusal, field_and_value):
        field, value = field_and_value
        told = refusal(api.post(PATH, GOOD | {field: value}), 400, "invalid")
        assert {error["field"] for error in told["errors"]} == {field}
        assert all(error["detail"].endswith(".") for error in told["errors"])
        assert not User.objects.exists()

    @pytest.mark.parametrize("field", ["username", "email", "password"])
    def test_refuses_a_missing_field(self, api, refusal, field):
        asked = {name: value for name, value in GOOD.items() if name != field}
        told = refusal(api.post(PATH, asked), 400, "invalid")
        assert [error["field"] for error in told["errors"]] == [field]
        assert not User.objects.exists()

    def test_measures_lengths_in_code_points(self, api):
        asked = GOOD | {"password": "😀" * 128, "display_name": "😀" * 64}
        assert api.post(PATH, asked).status_code == 201

    @pytest.mark.parametrize(
        ("changed", "fields"),
        [
            ({"email": "other@example.com", "username": "ALICE"}, ["username"]),
            ({"email": "aLICE@eXAMPLE.COM", "username": "other"}, ["email"]),
            ({"email": "ALICE@EXAMPLE.COM", "username": "alice"}, ["username", "email"]),
        ],
    )
    def test_refuses_what_is_taken_in_any_case(self, api, refusal, changed, fields):
        api.post(PATH, GOOD)
        told = refusal(api.post(PATH, GOOD | changed), 409, "conflict")
        assert [error["field"] for error in told["errors"]] == fields
        assert {error["code"] for error in told["errors"]} == {"taken"}
        assert User.objects.count() == Session.objects.count() == 1

    @pytest.mark.parametrize("password", ["iloveyou1", "Password1", "qwertyuiop"])
    def test_refuses_a_password_that_everybody_tries_first(self, api, refusal, password):
        (error,) = refusal(api.post(PATH, GOOD | {"password": password}), 400, "invalid")["errors"]
        assert (error["field"], error["code"]) == ("password", "password_too_common")
        assert error["detail"] == "This password is too common."
        assert not User.objects.exists()


@pytest.mark.django_db
class TestRegisterAtOnce:
    @pytest.mark.parametrize("shared", ["username", "email"])
    def test_gives_a_name_to_one_of_many(self, api, together, shared):
        def act(number):
            mine = {"username": f"user{number}", "email": f"user{number}@example.com"}
            mine[shared] = GOOD[shared].swapcase() if number % 2 else GOOD[shared]
            return api.post(PATH, GOOD | mine)

        try:
            answers = together(8, act)
            assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
            refused = next(answer for answer in answers if answer.status_code == 409)
            assert [error["field"] for error in refused.json()["errors"]] == [shared]
            assert User.objects.count() == Session.objects.count() == 1
        finally:
            # What other connections wrote is not rolled back.
            together(1, lambda _: (User.objects.all().delete(), Mail.objects.all().delete()))
