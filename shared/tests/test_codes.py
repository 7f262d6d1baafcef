"""The codes are those of the public contract, each with a status a client understands."""

from service_kit.codes import STATUS, TITLE

CONTRACT = [
    "invalid",
    "unknown_command",
    "not_authenticated",
    "token_expired",
    "session_revoked",
    "mfa_required",
    "forbidden",
    "not_found",
    "conflict",
    "client_id_reused",
    "method_not_allowed",
    "too_large",
    "unsupported_media_type",
    "rate_limited",
    "slow_mode",
    "blocked",
    "contacts_only",
    "muted",
    "banned",
    "read_only",
    "room_full",
    "room_archived",
    "direct_room",
    "last_owner",
    "ai_not_configured",
    "unavailable",
    "outcome_unknown",
]


class TestCodes:
    def test_are_those_of_the_contract(self):
        assert sorted(STATUS) == sorted(CONTRACT)

    def test_have_a_title_each(self):
        assert set(TITLE) == set(STATUS)
        assert all(TITLE.values())

    def test_have_the_status_the_contract_names(self):
        named = {
            "invalid": 400,
            "not_authenticated": 401,
            "mfa_required": 401,
            "forbidden": 403,
            "not_found": 404,
            "method_not_allowed": 405,
            "client_id_reused": 409,
            "direct_room": 409,
            "too_large": 413,
            "unsupported_media_type": 415,
            "rate_limited": 429,
            "unavailable": 503,
        }
        assert {code: STATUS[code] for code in named} == named

    def test_are_never_500(self):
        assert 500 not in STATUS.values()
