"""Every path of auth_service."""

from django.urls import URLPattern, URLResolver, include, path

from service_kit import problems
from service_kit.health import check_postgres, live, ready, serving

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.http.urls")),
    path("health/live", live),
    path("health/serving", serving),
    path("health/ready", ready({"postgres": check_postgres})),
]

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error
