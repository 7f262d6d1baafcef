"""`/docs/`: the API documentation of both services, with nothing from another host.

Swagger UI comes in a wheel. Its page is ours, so that nothing in it is inline.
"""

from pathlib import Path
from typing import Final

import drf_spectacular_sidecar
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from messaging.errors import NotFound
from service_kit.documents import document_view
from service_kit.problems import problem

# `data:` for the icons in Swagger UI's style sheet, `blob:` for pictures that a call answers with.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OURS: Final = Path(__file__).parent.parent / "static" / "docs"
LIBRARY: Final = (
    Path(drf_spectacular_sidecar.__file__).parent
    / "static"
    / "drf_spectacular_sidecar"
    / "swagger-ui-dist"
)
ASSETS: Final = {
    "docs.js": OURS,
    "docs.css": OURS,
    "swagger-ui.css": LIBRARY,
    "swagger-ui-bundle.js": LIBRARY,
    "swagger-ui-standalone-preset.js": LIBRARY,
    "favicon-32x32.png": LIBRARY,
}
# At this place in a checkout and in an image.
ASYNCAPI: Final = Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml"


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001 - Django's signature
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse((OURS / "index.html").open("rb"), headers=headers)


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponseBase:  # noqa: ARG001 - as above
    if name not in ASSETS:
        return problem(NotFound("file"))
    headers = {"Cache-Control": "public, max-age=3600"}
    return FileResponse((ASSETS[name] / name).open("rb"), headers=headers)


urlpatterns = [
    path("docs", RedirectView.as_view(url="/docs/")),
    path("docs/", page),
    # As text, which browsers show instead of keeping it.
    path("docs/asyncapi.yaml", document_view(ASYNCAPI, content_type="text/plain; charset=utf-8")),
    path("static/docs/<str:name>", asset),
]
