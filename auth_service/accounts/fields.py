"""Fields for what people say of themselves: texts that can be shown beside those of others."""

import re
import unicodedata
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from rest_framework import serializers

from accounts.models import BIO_LENGTH, LOCALE_LENGTH, ZONE_LENGTH

# Sorting a name's combining characters takes the square of their number.
LONGEST_BEFORE_NORMALISING: Final = 4
# Embeddings, overrides and isolates: unclosed, they turn round what stands after the name.
BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and signs that show nothing: fillers of Hangul, the empty pattern of Braille.
BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_CASES: Final = {2: str.upper, 4: str.title}


class TextField(serializers.CharField):
    """A string, and nothing that merely looks like one: 1 and true are refused."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NormalField(TextField):
    """A text in Unicode's form NFC: what looks the same, and is meant the same, is the same."""

    def __init__(self, *, max_length: int, **options: Any) -> None:  # noqa: ANN401 - as DRF has it
        super().__init__(max_length=max_length, **options)
        self._most = max_length * LONGEST_BEFORE_NORMALISING

    def to_internal_value(self, data: object) -> str:
        if isinstance(data, str) and len(data) > self._most:
            self.fail("max_length", max_length=self.max_length)
        return unicodedata.normalize("NFC", super().to_internal_value(data))


class NameField(NormalField):
    """One line that shows something and leaves the text around it alone.

    Names that look alike are two people's right: it is the username that tells who is who.
    """

    def to_internal_value(self, data: object) -> str:
        name = super().to_internal_value(data)
        refuse_control_characters(name)
        if not BIDI_CONTROLS.isdisjoint(name):
            _refuse("Characters that change the direction of text are not allowed.")
        if name and not any(map(_is_visible, name)):
            _refuse("A name must show something.")
        return name


class BioField(NormalField):
    """Some lines."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as DRF has it
        super().__init__(max_length=BIO_LENGTH, allow_blank=True, **options)

    def to_internal_value(self, data: object) -> str:
        bio = super().to_internal_value(data).replace("\r\n", "\n")
        refuse_control_characters(bio.replace("\n", ""))
        return bio


class TimeZoneField(TextField):
    """A name of the IANA database: `Europe/Berlin`."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as DRF has it
        super().__init__(max_length=ZONE_LENGTH, **options)

    def to_internal_value(self, data: object) -> str:
        name = super().to_internal_value(data)
        if name not in _time_zones():
            _refuse("Give a name of the IANA time zone database: Europe/Berlin.")
        return name


class LocaleField(TextField):
    """A language tag of the form BCP 47 has, written as it recommends: `zh-Hant-TW`."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as DRF has it
        super().__init__(max_length=LOCALE_LENGTH, **options)

    def to_internal_value(self, data: object) -> str:
        tag = super().to_internal_value(data)
        if not _LANGUAGE_TAG.fullmatch(tag):
            _refuse("Give a language tag: en, pt-BR, zh-Hant-TW.")
        return _recommended(tag)


def refuse_control_characters(value: str) -> None:
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        _refuse("Control characters are not allowed.")


def _refuse(detail: str) -> None:
    raise serializers.ValidationError(detail, "invalid")


def _is_visible(character: str) -> bool:
    """Whether it shows something by itself; what Unicode has added since may be an emoji."""
    category = unicodedata.category(character)
    return category[0] not in "MZ" and category != "Cf" and character not in BLANKS


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _recommended(tag: str) -> str:
    """Script and region have their own case, unless something private was begun (RFC 5646)."""
    language, *parts = tag.lower().split("-")
    shown, is_private = [language], False
    for part in parts:
        is_private = is_private or len(part) == 1
        shown.append(part if is_private else _CASES.get(len(part), str)(part))
    return "-".join(shown)
