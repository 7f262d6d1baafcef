from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

COMMITTED = Path(__file__).resolve().parent.parent / "schema.yml"


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(COMMITTED.read_text())


class TestSchema:
    def test_is_what_is_committed(self):
        made = StringIO()
        call_command("spectacular", "--validate", "--fail-on-warn", stdout=made)
        assert made.getvalue() == COMMITTED.read_text(), "run: manage.py spectacular"

    def test_names_every_public_operation(self, document):
        operations = {
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method in methods
        }
        assert operations == {
            ("POST", "/api/auth/register/"),
            ("POST", "/api/auth/login/"),
            ("POST", "/api/auth/refresh/"),
            ("POST", "/api/auth/logout/"),
            ("POST", "/api/auth/logout-all/"),
            ("GET", "/api/auth/sessions/"),
            ("DELETE", "/api/auth/sessions/{session_id}/"),
            ("POST", "/api/auth/password/change/"),
            ("GET", "/api/auth/me/"),
            ("PATCH", "/api/auth/me/"),
            ("GET", "/api/auth/users/"),
            ("GET", "/api/auth/users/{user_id}/"),
            ("GET", "/api/auth/users/by-username/{username}/"),
            ("GET", "/.well-known/jwks.json"),
        }

    def test_describes_the_errors_of_every_operation(self, document):
        for path, methods in document["paths"].items():
            for operation in methods.values():
                told = operation["responses"]
                assert "503" in told or path == "/.well-known/jwks.json"
                is_guarded = {"bearer": []} in operation["security"]
                takes_credentials = path.endswith(("/login/", "/refresh/"))
                assert ("401" in told) is (is_guarded or takes_credentials)
                assert ("415" in told) is ("requestBody" in operation)

    @pytest.mark.django_db
    def test_describes_what_is_answered(self, api, alice, document):
        registry = Registry().with_resource(
            "document", Resource(contents=document, specification=DRAFT202012)
        )
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
            [content] = operation["responses"][str(status)]["content"].values()
            reference = "document" + content["schema"]["$ref"]
            Draft202012Validator({"$ref": reference}, registry=registry).validate(answer.json())
