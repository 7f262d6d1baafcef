"""Documents of the API that anybody may read, as they are committed."""

from collections.abc import Callable
from pathlib import Path

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe


def document_view(
    file: Path, *, content_type: str = "application/yaml"
) -> Callable[[HttpRequest], FileResponse]:
    """Return a view that answers with a file; YAML has its type from RFC 9512."""

    @require_safe
    def view(request: HttpRequest) -> FileResponse:  # noqa: ARG001 - Django's signature
        headers = {"Cache-Control": "public, max-age=300"}
        return FileResponse(file.open("rb"), content_type=content_type, headers=headers)

    return view
