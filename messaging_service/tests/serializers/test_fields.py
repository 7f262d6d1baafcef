import pytest
from rest_framework.exceptions import ValidationError

from messaging.serializers.fields import TextField, UserIdField, is_user_id


class TestTextField:
    """The bounds of contract §6 are reached here: 4,000 characters are never 16 KiB."""

    field = TextField(max_length=16_384, max_bytes=16_384)

    @pytest.mark.parametrize(
        "text", ["x" * 16_384, "é" * 8_192, "👋" * 4_096, " x ", "\u200b", "\x01"]
    )
    def test_takes_text_up_to_its_bounds(self, text):
        assert self.field.run_validation(text) == text

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("x" * 16_385, "max_length"),
            ("x" + "é" * 8_192, "max_bytes"),
            ("x" + "👋" * 4_096, "max_bytes"),
            ("", "blank"),
            (" \n\u2003", "blank"),
            (None, "null"),
            (b"x", "invalid"),
            (1, "invalid"),
        ],
    )
    def test_refuses_what_is_beyond_them(self, text, code):
        with pytest.raises(ValidationError) as caught:
            self.field.run_validation(text)
        assert caught.value.detail[0].code == code


class TestUserIdField:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            *((1, "1"), ("1", "1"), ("0", "0"), (2**70, str(2**70)), ("x" * 64, "x" * 64)),
            ("7d3c2f9e-0a52-4a3c-9a0c-6f1f8c1f2b11", "7d3c2f9e-0a52-4a3c-9a0c-6f1f8c1f2b11"),
        ],
    )
    def test_takes_either_form(self, given, kept):
        assert UserIdField().run_validation(given) == kept

    @pytest.mark.parametrize(
        "given",
        [
            *("", " ", "a b", "1,2", "é", "\u0661", "x" * 65, "a/b", "a\n", "1\0", "%31"),
            *(None, True, False, 1.0, [], ["1"], {}, 10**65, b"1"),
        ],
    )
    def test_refuses_everything_else(self, given):
        with pytest.raises(ValidationError):
            UserIdField().run_validation(given)

    def test_agrees_with_its_rule(self):
        assert is_user_id("-_-")
        assert not is_user_id("a.b")
