"""Every path of messaging_service over HTTP."""

from pathlib import Path

from django.urls import include, path

from service_kit.admin import admin_urls
from service_kit.documents import document_view
from service_kit.health import (
    check_clock,
    check_postgres,
    check_redis,
    live,
    ready,
    serving,
)
from service_kit.keys import check_keys

SCHEMA = Path(__file__).resolve().parent.parent / "schema.yml"

handler400 = "service_kit.problems.bad_request"
handler403 = "service_kit.problems.forbidden"
handler404 = "service_kit.problems.not_found"
handler500 = "service_kit.problems.server_error"

urlpatterns = [
    *admin_urls(),
    path("", include("messaging.http.docs")),
    path("api/chat/", include("messaging.http.urls")),
    path("api/chat/schema/", document_view(SCHEMA)),
    path("health/live", live),
    path("health/serving", serving),
    path(
        "health/ready",
        ready(
            {
                "postgres": check_postgres,
                "redis": check_redis,
                "keys": check_keys,
                "clock": check_clock,
            }
        ),
    ),
]
