"""A room's messages over HTTP: pages of its history, and what only HTTP can get wrong."""

from urllib.parse import urlsplit

import pytest

from messaging.actions.messages import send_message
from messaging.models import Epoch, Member, Message
from messaging.serializers.messages import new_message

HOSTILE_IDS = ["0", "-1", "999999999", str(2**63 - 1), str(2**63), "9" * 30, "9" * 5_000]
NOT_NUMBERS = ["x", "1.0", "1e3", "+1", "0x1", "%00", "%ff", "%20", "1%20", "null", "²", "٣"]

NO_SEQS = ["x", "-1", "1.5", "1e3", "%00", "null", str(2**53 + 1), str(2**63), "9" * 5_000]


@pytest.fixture
def fill(alice, room):
    """Let alice send this many messages to the room."""

    def send(number):
        for n in range(1, number + 1):
            message = new_message({"content": str(n)}, room_id=room)
            send_message(sender_id=alice.id, room_id=room, message=message)

    return send


@pytest.fixture
def page(api, bob, room):
    """What bob reads of the room."""

    def read(query=""):
        answer = api.get(
            query if "://" in query else f"rooms/{room}/messages/{query}", token=bob.token
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    return read


def seqs(read):
    return [message["seq"] for message in read["results"]]


def follow(page, read, link):
    """Every page from here on, in the direction of the link."""
    pages = [seqs(read)]
    while read[link]:
        assert len(pages) < 50, "it never ends"
        parts = urlsplit(read[link])
        assert parts.netloc == "testserver"
        read = page(read[link])
        pages.append(seqs(read))
    return pages


class TestHistory:
    def test_of_an_empty_room_is_empty(self, page):
        for query in ("", "?before=1", "?after=0", "?around=1", "?before=99", "?around=9"):
            read = page(query)
            assert read.keys() == {"results", "previous", "next", "pos", "epoch"}
            assert (read["results"], read["previous"], read["next"]) == ([], None, None)
            assert (read["pos"], read["epoch"]) == (0, str(Epoch.objects.get().value))

    def test_shows_the_newest_fifty_oldest_first(self, fill, page):
        fill(52)
        read = page()
        assert seqs(read) == list(range(3, 53))
        assert read["next"] is None
        assert seqs(page(read["previous"])) == [1, 2]
        assert read["pos"] == 52

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?limit=1", [10]),
            ("?limit=100", list(range(1, 11))),
            ("?before=1", []),
            ("?before=2", [1]),
            ("?before=11&limit=3", [8, 9, 10]),
            ("?before=5&limit=3", [2, 3, 4]),
            ("?before=99&limit=3", [8, 9, 10]),
            ("?after=0&limit=3", [1, 2, 3]),
            ("?after=7&limit=3", [8, 9, 10]),
            ("?after=9&limit=3", [10]),
            ("?after=10", []),
            ("?after=99", []),
            ("?around=5&limit=3", [4, 5, 6]),
            ("?around=5&limit=1", [5]),
            (f"?before={2**53}&limit=2", [9, 10]),
            (f"?after={2**53}", []),
            (f"?around={2**53}&limit=2", [9, 10]),
            ("?around=1&limit=3", [1, 2, 3]),
            ("?around=10&limit=3", [8, 9, 10]),
        ],
    )
    def test_shows_the_stretch_that_is_asked_for(self, fill, page, query, expected):
        fill(10)
        assert seqs(page(query)) == expected

    @pytest.mark.parametrize("limit", [1, 3, 7, 22, 23, 24, 100])
    def test_is_covered_exactly_once_by_following_the_links(self, fill, page, limit):
        fill(23)
        back = follow(page, page(f"?limit={limit}"), "previous")
        assert [seq for part in reversed(back) for seq in part] == list(range(1, 24))
        forth = follow(page, page(f"?after=0&limit={limit}"), "next")
        assert [seq for part in forth for seq in part] == list(range(1, 24))

    @pytest.mark.parametrize("around", [1, 2, 11, 22, 23])
    @pytest.mark.parametrize("limit", [1, 2, 5, 100])
    def test_is_covered_exactly_once_from_the_middle(self, fill, page, around, limit):
        fill(23)
        middle = page(f"?around={around}&limit={limit}")
        assert around in seqs(middle)
        back, forth = (follow(page, middle, link) for link in ("previous", "next"))
        found = [seq for part in reversed(back[1:]) for seq in part]
        found += [seq for part in forth for seq in part]
        assert found == list(range(1, 24))

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            *(
                (f"?{name}={value}", [name])
                for name in ("before", "after", "around", "limit")
                for value in NO_SEQS
            ),
            *(("?" + name + "=0", [name]) for name in ("before", "around", "limit")),
            ("?limit=101", ["limit"]),
            ("?before=1&after=1", [""]),
            ("?after=1&around=1", [""]),
            ("?before=3&after=1&around=2", [""]),
        ],
    )
    def test_refuses_what_is_no_stretch(self, api, refusal, fill, bob, room, query, names):
        answer = api.get(f"rooms/{room}/messages/{query}", token=bob.token)
        told = refusal(answer, 400, "invalid")
        assert [error["field"] for error in told["errors"]] == names

    def test_leads_back_from_beyond_its_end(self, fill, page):
        fill(10)
        back = follow(page, page("?after=99&limit=4"), "previous")
        assert back == [[], [7, 8, 9, 10], [3, 4, 5, 6], [1, 2]]
        assert page("?after=99")["next"] is None

    def test_is_shown_from_where_a_member_may_see(self, fill, page, bob, room):
        fill(10)
        Member.objects.filter(room_id=room, user_id=bob.id).update(visible_from_seq=6, joined_pos=5)
        assert seqs(page()) == [6, 7, 8, 9, 10]
        assert (page()["previous"], page("?limit=5")["previous"]) == (None, None)
        assert seqs(page("?before=6")) == []
        assert set(seqs(page("?around=2&limit=4"))) <= {6, 7, 8, 9, 10}
        forth = follow(page, page("?after=0&limit=2"), "next")
        assert [seq for part in forth for seq in part] == [6, 7, 8, 9, 10]

    @pytest.mark.parametrize("length", [3, 20])
    def test_is_read_in_one_query(self, api, fill, bob, room, django_assert_num_queries, length):
        fill(length)
        api.get(f"rooms/{room}/", token=bob.token)
        with django_assert_num_queries(1):
            api.get(f"rooms/{room}/messages/", token=bob.token)


class TestRefusedRoom:
    def test_looks_the_same_to_a_stranger_and_where_there_is_none(self, api, refusal, carol, room):
        body = {"content": "let me in"}
        for path in (f"rooms/{room}/", "rooms/999999999/"):
            told = [
                refusal(api.get(path, token=carol.token), 404, "not_found"),
                refusal(api.get(f"{path}messages/", token=carol.token), 404, "not_found"),
                refusal(api.post(f"{path}messages/", body, token=carol.token), 404, "not_found"),
            ]
            assert all(problem["detail"] == "There is no such room." for problem in told)
        assert not Message.objects.filter(sender_id=carol.id).exists()

    @pytest.mark.parametrize("room_id", HOSTILE_IDS + NOT_NUMBERS)
    def test_is_404_whatever_stands_in_the_path(self, api, refusal, carol, room_id):
        for path in (f"rooms/{room_id}/", f"rooms/{room_id}/messages/"):
            refusal(api.get(path, token=carol.token), 404, "not_found")
        answer = api.post(f"rooms/{room_id}/messages/", {"content": "x"}, token=carol.token)
        refusal(answer, 404, "not_found")
        assert not Message.objects.filter(sender_id=carol.id).exists()

    def test_is_404_after_leaving(self, api, refusal, fill, bob, room):
        fill(1)
        Member.objects.filter(room_id=room, user_id=bob.id).update(left_pos=1)
        refusal(api.get(f"rooms/{room}/", token=bob.token), 404, "not_found")
        refusal(api.get(f"rooms/{room}/messages/", token=bob.token), 404, "not_found")
        assert api.get("rooms/", token=bob.token).json()["results"] == []


class TestBody:
    def test_of_64_kib_and_a_byte_is_too_large(self, api, refusal, alice, room):
        raw = b'{"content":"x"}'.ljust(64 * 1024 + 1)
        refusal(api.post(f"rooms/{room}/messages/", raw, token=alice.token), 413, "too_large")
        assert not Message.objects.filter(room_id=room).exists()

    @pytest.mark.parametrize(
        "raw", [b'{"content":"\xff"}', b'{"content":"\xed\xa0\x80"}', b"\xc0\xaf", b"\x89PNG\r\n"]
    )
    def test_that_is_not_utf_8_is_refused(self, api, refusal, alice, room, raw):
        refusal(api.post(f"rooms/{room}/messages/", raw, token=alice.token), 400, "invalid")
        assert not Message.objects.filter(room_id=room).exists()

    @pytest.mark.parametrize(
        "kind",
        [
            *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
            *("application/xml", "application/jsonp", "nonsense", "application/json-seq"),
        ],
    )
    def test_of_another_type_is_415(self, api, refusal, alice, room, kind):
        path, raw = f"rooms/{room}/messages/", b'{"content":"x"}'
        answer = api.send("POST", path, raw, token=alice.token, content_type=kind)
        refusal(answer, 415, "unsupported_media_type")
        assert not Message.objects.filter(room_id=room).exists()

    @pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
    def test_may_say_its_type_in_full(self, api, alice, room, kind):
        path, raw = f"rooms/{room}/messages/", b'{"content":"x"}'
        answer = api.send("POST", path, raw, token=alice.token, content_type=kind)
        assert answer.status_code == 201


class TestAnswer:
    def test_says_that_it_repeats_only_when_it_does(self, api, alice, room):
        body = {"content": "x", "client_id": "a"}
        first, second = (
            api.post(f"rooms/{room}/messages/", body, token=alice.token) for _ in range(2)
        )
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json() == first.json() | {"duplicate": True}
        assert first["Content-Type"] == second["Content-Type"] == "application/json"
