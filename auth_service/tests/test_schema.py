import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.http.urls import urlpatterns

COMMITTED = Path(__file__).resolve().parent.parent / "schema.yml"


@pytest.fixture(scope="module")
def document(openapi):
    return openapi.document


class TestSchema:
    def test_is_what_is_committed(self):
        made = StringIO()
        call_command("spectacular", "--validate", "--fail-on-warn", stdout=made)
        assert made.getvalue() == COMMITTED.read_text(), "run: manage.py spectacular"

    def test_names_every_path_but_pages_and_those_of_the_other_service(self, document):
        routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{each.pattern}") for each in urlpatterns}
        left_out = {each for each in routes if each.startswith(("/internal/", "/api/auth/pages/"))}
        assert document["paths"].keys() == routes - left_out

    def test_describes_the_errors_of_every_operation(self, document):
        for path, methods in document["paths"].items():
            for operation in methods.values():
                told = operation["responses"]
                assert {"403", "503"} <= told.keys()
                is_guarded = {"bearer": []} in operation["security"]
                takes_credentials = path.endswith(("/login/", "/login/mfa/", "/refresh/"))
                assert ("401" in told) is (is_guarded or takes_credentials)
                assert ("415" in told) is ("requestBody" in operation)

    def test_shows_valid_examples_of_every_body(self, openapi):
        for _, content in openapi.bodies():
            for example in content.get("examples", {}).values():
                openapi.validate(content["schema"], openapi.resolve(example)["value"])

    @pytest.mark.django_db
    def test_describes_what_is_answered(self, api, alice, document, openapi):
        login = {"username": "alice", "password": "correct horse battery"}
        for method, path, template, body, status in [
            ("POST", "login/", "login/", login, 200),
            ("POST", "login/", "login/", {}, 400),
            ("POST", "login/", "login/", login | {"password": "x"}, 401),
            ("GET", "me/", "me/", None, 200),
            ("PATCH", "me/", "me/", {}, 200),
            ("GET", "users/?search=a", "users/", None, 200),
            ("GET", f"users/{alice.id}/", "users/{user_id}/", None, 200),
            ("GET", "users/0/", "users/{user_id}/", None, 404),
            ("GET", "sessions/", "sessions/", None, 200),
            ("DELETE", "sessions/x/", "sessions/{session_id}/", None, 404),
            ("POST", "password/change/", "password/change/", {}, 400),
            ("POST", "refresh/", "refresh/", {"refresh": alice.refresh}, 200),
        ]:
            answer = api.send(method, f"/api/auth/{path}", body, token=alice.access)
            assert answer.status_code == status
            operation = document["paths"][f"/api/auth/{template}"][method.lower()]
            [content] = openapi.resolve(operation["responses"][str(status)])["content"].values()
            openapi.validate(content["schema"], answer.json())
