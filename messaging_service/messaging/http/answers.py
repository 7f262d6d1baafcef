"""Answers whose JSON text is made already: without DRF, which would make it again."""

from django.http import HttpResponse


def json_answer(text: bytes, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="application/json")
