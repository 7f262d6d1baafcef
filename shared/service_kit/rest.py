"""How every service speaks REST."""

from typing import Any


def rest_settings(
    *, authentication: str = "service_kit.authentication.AccessTokenAuthentication"
) -> dict[str, Any]:
    """Return DRF's REST_FRAMEWORK: strict JSON in, JSON out, and nobody in without a token."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [authentication],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_PARSER_CLASSES": ["service_kit.decoding.StrictJSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["service_kit.rendering.OrjsonRenderer"],
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "service_kit.rendering.JSONAlways",
        "DEFAULT_METADATA_CLASS": None,
        "DEFAULT_SCHEMA_CLASS": "service_kit.openapi.Schema",
        "EXCEPTION_HANDLER": "service_kit.problems.exception_handler",
        "UNAUTHENTICATED_USER": None,
        "URL_FORMAT_OVERRIDE": None,
    }
