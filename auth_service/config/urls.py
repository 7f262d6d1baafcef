"""Every path of auth_service."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from service_kit import problems
from service_kit.admin import admin_urls
from service_kit.documents import document_view
from service_kit.health import check_clock, check_postgres, live, ready, serving

urlpatterns: list[URLPattern | URLResolver] = [
    *admin_urls(),
    path("", include("accounts.http.urls")),
    path("api/auth/schema/", document_view(settings.BASE_DIR / "schema.yml")),
    path("health/live", live),
    path("health/serving", serving),
    path("health/ready", ready({"postgres": check_postgres, "clock": check_clock})),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error
