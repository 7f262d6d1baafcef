"""A real HTTP server that publishes keys, counts who asks, and can misbehave."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm


def jwk(kid="a", private=None, **changes):
    public = (private or Ed25519PrivateKey.generate()).public_key()
    known = OKPAlgorithm.to_jwk(public, as_dict=True)
    return known | {"kid": kid, "use": "sig", "alg": "EdDSA"} | changes


def key_set(*keys):
    return json.dumps({"keys": list(keys)}).encode()


class KeyServer:
    """`answer` is a body, or a function of the request handler that does as it likes."""

    def __init__(self, url):
        self.url = url
        self.answer = key_set(jwk())
        self.fetches = []
        self.megabytes = 0
        self.released = threading.Event()

    def hang(self, handler):
        self.released.wait(20)

    def drip(self, handler):
        handler.send_response(200)
        handler.end_headers()
        while not self.released.wait(0.2):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    def flood(self, handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b" " * 2**20)
            self.megabytes += 1

    def redirect(self, handler):
        handler.send_response(302)
        handler.send_header("Location", self.url + "elsewhere")
        handler.end_headers()

    def fail(self, handler):
        handler.send_error(500)


@contextmanager
def key_server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.fetches.append(self.path)
            if callable(server.answer):
                server.answer(self)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(server.answer)))
            self.end_headers()
            self.wfile.write(server.answer)

        def log_message(self, *args):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Clients that cut the line are what these tests are about."""

    http = Quiet(("127.0.0.1", 0), Handler)
    server = KeyServer(f"http://127.0.0.1:{http.server_port}/")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        http.shutdown()
        thread.join()
        http.server_close()
