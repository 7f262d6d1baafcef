"""What the admins of both services have in common: their paths, and tables nobody may edit."""

from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import cached_property
from django.views.static import serve

MOST_LISTED: Final = 10_000
_STATIC: Final = Path(admin.__file__).parent / "static"


def admin_urls() -> list[URLPattern | URLResolver]:
    """Return the admin's pages and the library's own style sheets, for a few operators."""
    root = settings.CSRF_COOKIE_PATH.lstrip("/")
    files = path(f"{root}static/<path:path>", serve, {"document_root": _STATIC})
    return [files, path(root, admin.site.urls)]


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Lists the newest rows; to count millions takes longer than a statement may."""

    @cached_property
    def count(self) -> int:
        return MOST_LISTED


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows; what changes them are actions, which keep what must be true of them.

    `search_fields` are lookups of whole values, so that a search can use an index.
    """

    paginator = UncountedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        fields = self.get_search_fields(request)
        wanted = [
            Q((field, search_term)) for field in fields if _fits(queryset, field, search_term)
        ]
        return queryset.filter(reduce(or_, wanted)) if wanted else queryset.none(), False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False


def _fits(queryset: QuerySet[Any], field: str, value: str) -> bool:
    """Say whether this could be the value of such a field: no word is a number, or an address."""
    column = queryset.model._meta.get_field(field.partition("__")[0])  # noqa: SLF001 - it is public
    try:
        column.run_validators(column.to_python(value))
    except (ValueError, ValidationError):
        return False
    return True
