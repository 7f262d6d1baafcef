"""The picture of a person: what is taken, what is made of it, who is given it, and what goes."""

import io
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import Event, User
from accounts.pictures import asking
from auth_service.tests.pictures import (
    PLACE,
    animated,
    photograph,
    picture,
    png,
    vast_webp,
)

PATH = "/api/auth/me/avatar/"
BOUNDARY = "5f1c"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<html><script>alert(1)</script>"

pytestmark = pytest.mark.django_db


def form(upload, *, field="avatar", name="me.png", kind="image/png"):
    head = (
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}'
    )
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + upload + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def send(api, media):
    def post(person, body, kind=f"multipart/form-data; boundary={BOUNDARY}"):
        return api.send("POST", PATH, body, token=person.access, content_type=kind)

    return post


@pytest.fixture
def upload(send, alice):
    return lambda content, **named: send(alice, form(content, **named))


def files(media):
    return sorted(str(file.relative_to(media)) for file in media.rglob("*.webp"))


@pytest.fixture
def nothing_changed(media, alice):
    """Assert that an act leaves the picture there is, and tells nobody."""
    name = f"{alice.id}/{'0' * 32}.webp"
    User.objects.filter(pk=alice.id).update(avatar=name)
    default_storage.save(f"avatars/{name}", ContentFile(b"x"))

    def look():
        return User.objects.values().get(pk=alice.id), files(media), Event.objects.count()

    before = look()
    return lambda: look() == before


class TestUpload:
    def test_is_drawn_anew(self, api, upload):
        answer = upload(photograph(), name="../x.svg", kind="text/html")
        assert answer.status_code == 200, answer.content
        content = api.get(answer.json()["avatar"]).content
        assert Image.open(io.BytesIO(content)).format == "WEBP"
        assert PLACE.encode() not in content

    @pytest.mark.parametrize(
        ("content", "status", "code", "error"),
        [
            (SVG, 415, "unsupported_media_type", None),
            (png(5_000, 5_001), 413, "too_large", None),
            (animated("PNG"), 400, "invalid", "animated"),
            (picture()[:-20], 400, "invalid", "invalid"),
            (picture("JPEG")[:-200], 400, "invalid", "invalid"),
            # Two gigabytes before it could be asked how large it is.
            (vast_webp(), 400, "invalid", "invalid"),
            (b"", 400, "invalid", "required"),
        ],
    )
    def test_is_refused_and_changes_nothing(
        self, upload, nothing_changed, refusal, content, status, code, error
    ):
        told = refusal(upload(content), status, code)
        assert [each["code"] for each in told["errors"]] == ([error] if error else [])
        assert all(each["field"] == "avatar" for each in told["errors"])
        assert nothing_changed()

    @pytest.mark.parametrize(
        ("kind", "body", "status", "code"),
        [
            ("image/png", picture(), 415, "unsupported_media_type"),
            ("application/json", b'{"avatar": "x"}', 415, "unsupported_media_type"),
            ("multipart/form-data", form(picture()), 400, "invalid"),
            (f"multipart/form-data; boundary={BOUNDARY}", b"", 400, "invalid"),
            (f"multipart/form-data; boundary={BOUNDARY}", form(picture())[:90], 400, "invalid"),
            (
                f"multipart/form-data; boundary={BOUNDARY}",
                form(picture(), field="picture"),
                *(400, "invalid"),
            ),
        ],
    )
    def test_is_a_form_of_another_kind(
        self, send, alice, nothing_changed, refusal, kind, body, status, code
    ):
        refusal(send(alice, body, kind), status, code)
        assert nothing_changed()


class TestTooLarge:
    def test_in_bytes(self, upload, nothing_changed, refusal):
        # What is behind a JPEG is left out.
        largest = picture("JPEG").ljust(10_000_000, b"\0")
        refusal(upload(largest + b"\0"), 413, "too_large")
        refusal(upload(largest + bytes(70_000)), 413, "too_large")
        assert nothing_changed()
        assert upload(largest).status_code == 200

    def test_is_what_takes_too_long(self, upload, nothing_changed, refusal, monkeypatch):
        monkeypatch.setattr(asking, "DRAW_SECONDS", 0.001)
        refusal(upload(picture()), 503, "unavailable")
        assert nothing_changed()

    def test_waits_for_its_turn_no_longer_than_that(
        self, upload, nothing_changed, refusal, monkeypatch
    ):
        monkeypatch.setattr(asking, "WAIT_SECONDS", 0.01)
        with asking._turn():
            refusal(upload(picture()), 503, "unavailable")
        assert nothing_changed()
        assert upload(picture("JPEG")).status_code == 200


class TestShown:
    def test_to_everybody_with_headers_that_make_it_nothing_else(self, api, upload, alice, bob):
        path = upload(picture()).json()["avatar"]
        assert path.startswith(f"/api/auth/avatars/{alice.id}/")
        for reader in (None, bob.access):
            answer = api.get(path, token=reader)
            assert answer.status_code == 200
        told = {name: answer[name] for name in answer.headers}
        assert told["Content-Type"] == "image/webp"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert told["Cache-Control"] == "public, max-age=31536000, immutable"
        assert told["Content-Disposition"] == 'inline; filename="avatar.webp"'
        assert told["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in told
        assert api.send("HEAD", path).headers["Content-Type"] == "image/webp"

    def test_wherever_the_person_is(self, api, upload, alice, bob, settings):
        path = upload(picture()).json()["avatar"]
        users = "/api/auth/users/"
        assert api.get("/api/auth/me/", token=alice.access).json()["avatar"] == path
        for way in (f"{alice.id}/", "by-username/alice/"):
            assert api.get(users + way, token=bob.access).json()["avatar"] == path
        [found] = api.get(f"{users}?search=alice", token=bob.access).json()["results"]
        assert found["avatar"] == path
        told = api.get("/internal/events/?after=0", token=settings.INTERNAL_SECRET).json()
        assert [event["data"]["avatar"] for event in told["events"]] == [path]

    @pytest.mark.parametrize(
        "name",
        [
            *("{id}/" + "0" * 32 + ".webp", "{id}/", "x/" + "0" * 32 + ".webp", "{id}/x.webp"),
            *("{id}/..%2f..%2fsecrets.json", "..%2f..%2f..%2fetc%2fpasswd", "%00/x.webp"),
            *("{id}/{shown}%00", "{id}/{shown}/", "{id}/{upper}"),
        ],
    )
    def test_by_no_other_name(self, api, upload, refusal, alice, name):
        found = Path(upload(picture()).json()["avatar"]).name
        path = name.format(id=alice.id, shown=found, upper=found.upper())
        refusal(api.get(f"/api/auth/avatars/{path}"), 404, "not_found")

    def test_to_one_alone_under_one_name(self, send, alice, bob):
        paths = {send(person, form(picture())).json()["avatar"] for person in (alice, bob)}
        assert len({Path(path).name for path in paths}) == 1
        assert len(paths) == 2


class TestTheOneBefore:
    def test_goes(self, api, upload, media, refusal):
        first, second = (upload(picture(kind)).json()["avatar"] for kind in ("PNG", "JPEG"))
        assert first != second
        refusal(api.get(first), 404, "not_found")
        assert api.get(second).status_code == 200
        assert len(files(media)) == 1

    def test_stays_where_it_is_the_same(self, api, upload, media):
        first, second = (upload(picture()).json()["avatar"] for _ in range(2))
        assert first == second
        assert api.get(first).status_code == 200
        assert len(files(media)) == 1

    def test_goes_when_none_is_shown_any_more(self, api, upload, media, alice, refusal):
        path = upload(picture()).json()["avatar"]
        for _ in range(2):
            assert api.send("DELETE", PATH, token=alice.access).status_code == 204
            assert api.get("/api/auth/me/", token=alice.access).json()["avatar"] is None
        refusal(api.get(path), 404, "not_found")
        assert list((media / "avatars").iterdir()) == []
        assert Event.objects.count() == 2

    def test_goes_later_where_it_was_left_behind(self, upload, media, alice):
        stray = media / "avatars" / alice.id / ("0" * 32 + ".webp")
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"left by a process that was killed")
        upload(picture())
        assert not stray.exists()
        assert len(files(media)) == 1

    def test_of_others_stays(self, api, send, alice, bob):
        path = send(bob, form(picture())).json()["avatar"]
        send(alice, form(picture()))
        api.send("DELETE", PATH, token=alice.access)
        assert api.get(path).status_code == 200


class TestWhoMay:
    def test_is_who_is_logged_in(self, api, media, alice, refusal):
        body, kind = form(picture()), f"multipart/form-data; boundary={BOUNDARY}"
        for token in (None, "x"):
            answer = api.send("POST", PATH, body, token=token, content_type=kind)
            refusal(answer, 401, "not_authenticated")
            refusal(api.send("DELETE", PATH, token=token), 401, "not_authenticated")
        api.post("/api/auth/logout/", token=alice.access)
        answer = api.send("POST", PATH, body, token=alice.access, content_type=kind)
        refusal(answer, 401, "session_revoked")
        assert files(media) == []

    def test_is_who_does_not_do_it_too_often(self, upload, refusal, settings):
        settings.LIMITS = settings.LIMITS | {"PICTURES_PER_HOUR": 2}
        for kind in ("PNG", "JPEG"):
            assert upload(picture(kind)).status_code == 200
        answer = upload(picture())
        refusal(answer, 429, "rate_limited")
        assert int(answer["Retry-After"]) > 60


class TestAFolderThatFails:
    def test_is_told_and_changes_nothing(self, upload, alice, settings, tmp_path, refusal):
        blocked = tmp_path / "a file"
        blocked.write_bytes(b"")
        settings.MEDIA_ROOT = str(blocked)
        refusal(upload(picture()), 503, "unavailable")
        assert User.objects.get(pk=alice.id).avatar == ""
        assert Event.objects.count() == 0


class TestErasure:
    def test_is_not_done_where_the_picture_stays(
        self, api, upload, media, alice, refusal, monkeypatch
    ):
        def fail(name):
            raise PermissionError(name)

        path = upload(picture()).json()["avatar"]
        monkeypatch.setattr(default_storage._wrapped, "delete", fail)
        asked = {"password": "correct horse battery"}
        refusal(api.send("DELETE", "/api/auth/me/", asked, token=alice.access), 503, "unavailable")
        assert User.objects.get(pk=alice.id).avatar == path.removeprefix("/api/auth/avatars/")
        assert api.get(path).status_code == 200

    def test_takes_the_picture_along(self, api, upload, media, alice, refusal):
        path = upload(picture()).json()["avatar"]
        asked = {"password": "correct horse battery"}
        answer = api.send("DELETE", "/api/auth/me/", asked, token=alice.access)
        assert answer.status_code == 204, answer.content
        refusal(api.get(path), 404, "not_found")
        assert not default_storage.exists(f"avatars/{alice.id}")
