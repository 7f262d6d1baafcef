"""A TCP proxy that loses what a test wants lost, between a client and a real server."""

import socket
import threading
from contextlib import suppress
from typing import Final, Literal

Loss = Literal["", "request", "reply"]
_PATIENCE: Final = 10.0


class Proxy:
    """Listens on `port`; `lose_next` names what to lose of the next request that holds `mark`.

    "request": it never reaches the server. "reply": the server carries it out, and answers nobody.
    Either way the connection is cut then. While `refuses` is true, new connections are cut.
    """

    def __init__(self, host: str, port: int, *, mark: bytes = b"COMMIT") -> None:
        self._server = (host, port)
        self._mark = mark
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]
        self.lose_next: Loss = ""
        self.refuse_after_loss = False
        self.refuses = False
        self.losses = 0
        self._deaf: socket.socket | None = None
        self._answered = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection now."""
        for link in list(self._open):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuses:
                    client.close()
                    continue
                server = socket.create_connection(self._server, _PATIENCE)
                server.settimeout(None)
                self._open |= {client, server}
                for work in (self._to_server, self._to_client):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.lose_next and self._mark in data:
                    self._lose(data, client, server)
                    break
                server.sendall(data)
        self._end(client, server)

    def _lose(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        loss, self.lose_next = self.lose_next, ""
        self.losses += 1
        self.refuses = self.refuse_after_loss
        if loss == "reply":
            self._deaf = client
            server.sendall(data)
            self._answered.wait(_PATIENCE)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self._deaf is client:
                    self._answered.set()
                    break
                client.sendall(data)
        self._end(client, server)

    def _end(self, *links: socket.socket) -> None:
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            if link in self._open:
                self._open.discard(link)
            else:  # The other direction has ended too.
                link.close()
