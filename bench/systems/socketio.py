"""socket.io on Node with its Redis adapter, in the versions socketio/package-lock.json names."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from local.health import answers
from local.ports import free_ports
from local.processes import Process
from local.services import ROOT

if TYPE_CHECKING:
    from bench.engines import Engines

SOURCE = Path(__file__).parent.parent / "socketio"
NODE = shutil.which("node") or "node"
NPM = shutil.which("npm") or "npm"
FILES = ("package.json", "package-lock.json", "server.js")


class SocketIo:
    """One Node process; its only room is `crowd`."""

    name = "socket.io"

    def __init__(self, engines: Engines) -> None:
        self.port = free_ports(1)[0]
        self.process = Process(
            name="socketio",
            command=[NODE, str(_installed() / "server.js")],
            folder=ROOT,
            log=engines.home / "log" / "socketio.log",
            port=self.port,
            environment={
                "PORT": str(self.port),
                "REDIS_URL": engines.redis.url,
                "NODE_ENV": "production",
            },
        )
        self.process.start()
        self.process.wait_until(lambda: answers(self.port, "/"))

    @staticmethod
    def can_run() -> bool:
        return all(map(shutil.which, ("node", "npm")))

    @staticmethod
    def versions() -> dict[str, str]:
        node = subprocess.run([NODE, "--version"], stdout=subprocess.PIPE, check=True, text=True)
        wanted = json.loads((SOURCE / "package.json").read_text())["dependencies"]
        return {"node": node.stdout.strip().removeprefix("v"), **wanted}

    def path(self) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def stop(self) -> None:
        self.process.stop()


def _installed() -> Path:
    """Return a folder with the server and what the lock file names, made once per lock file."""
    contents = [(SOURCE / name).read_bytes() for name in FILES]
    digest = hashlib.sha256(b"".join(contents)).hexdigest()[:12]
    home = ROOT / ".data" / "socketio" / digest
    if not home.exists():
        unfinished = home.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in zip(FILES, contents, strict=True):
            (unfinished / name).write_bytes(content)
        subprocess.run(
            [
                str(shutil.which("npm")),
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ],
            cwd=unfinished,
            check=True,
        )
        unfinished.rename(home)
    return home
