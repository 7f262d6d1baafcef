"""Every act through both doors: same row, same refusal, same event."""


class TestSend:
    def test_is_told_to_both_as_it_was_acknowledged(self, door, connect, alice, bob, room):
        hearing = [connect(alice, room), connect(bob, room)]
        answer = door.send(alice, room, content="Hello from A", client_id="c-1")
        for socket in hearing:
            event = socket.expect("message")
            assert event.pop("type") == "message"
            assert event == answer.message
