"""Every code a refusal may carry, with its HTTP status and its title."""

_TABLE: dict[str, tuple[int, str]] = {
    "invalid": (400, "Invalid request"),
    "unknown_command": (400, "Unknown command"),
    "not_authenticated": (401, "Not authenticated"),
    "token_expired": (401, "Token expired"),
    "session_revoked": (401, "Session revoked"),
    "mfa_required": (401, "Second factor required"),
    "forbidden": (403, "Forbidden"),
    "blocked": (403, "Blocked"),
    "contacts_only": (403, "Contacts only"),
    "muted": (403, "Muted"),
    "banned": (403, "Banned"),
    "read_only": (403, "Read only"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "conflict": (409, "Conflict"),
    "client_id_reused": (409, "client_id already used"),
    "room_full": (409, "Room is full"),
    "room_archived": (409, "Room is archived"),
    "direct_room": (409, "Not possible in a direct room"),
    "last_owner": (409, "The last owner must stay"),
    "ai_not_configured": (409, "No assistant is configured"),
    "too_large": (413, "Too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "rate_limited": (429, "Too many requests"),
    "slow_mode": (429, "Slow mode"),
    "unavailable": (503, "Temporarily unavailable"),
    "outcome_unknown": (503, "Outcome unknown"),
}

STATUS: dict[str, int] = {code: status for code, (status, _) in _TABLE.items()}
TITLE: dict[str, str] = {code: title for code, (_, title) in _TABLE.items()}
