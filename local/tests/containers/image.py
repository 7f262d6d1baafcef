"""What a Dockerfile of ours makes, as a folder."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.services import ROOT
from local.tests.images import dockerfile

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where Docker mounts things, besides what a compose file names.
MOUNT_POINTS = ("dev", "etc", "proc", "tmp", "run/secrets", "usr")


@dataclass(kw_only=True)
class Image:
    """A tree, and how a container of it begins. `shared` are folders of this machine in it."""

    root: Path
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = "0:0"
    folder: str = "/"
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    shared: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in MOUNT_POINTS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "lib", "lib64", "sbin"):
            (self.root / name).symlink_to(f"usr/{name}")
        self.root.chmod(0o755)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "etc" / "nsswitch.conf").write_text("hosts: files dns\n")
        (self.root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
        shutil.copy2("/etc/ld.so.cache", self.root / "etc")
        self.shared["/usr"] = Path("/usr")

    def mount_point(self, target: str, *, of_file: bool = False) -> None:
        """Make the place where something is mounted."""
        place = self.root / target.lstrip("/")
        if of_file:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        else:
            place.mkdir(parents=True, exist_ok=True)


def build(service: str, root: Path, *, venv: Path) -> Image:
    """Do what the service's Dockerfile says, but for the two things a network is needed for.

    `venv` is what its `pip install` makes; the base image is this machine's Python.
    """
    image = Image(root=root, shared={"/venv": venv, **python()})
    for target in image.shared:
        image.mount_point(target)
    for name, words in re.findall(r"(?m)^([A-Z]+) (.+)$", dockerfile(service)):
        _INSTRUCTIONS.get(name, _nothing)(image, words)
    return image


def make_venv(service: str) -> Path:
    """Install exactly what the service's lock names, once for each lock, beside our own .venv."""
    lock = ROOT / service / "requirements.txt"
    digest = hashlib.sha256(sys.version.encode() + lock.read_bytes()).hexdigest()[:12]
    made = Path(sys.prefix) / "images" / f"{service}-{digest}"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=made.parent))
        uv = [sys.executable, "-m", "uv", "--quiet"]
        where = ["--python", str(unfinished / "bin" / "python")]
        what = ["--require-hashes", "--requirement", str(lock), "--compile-bytecode"]
        subprocess.run([*uv, "venv", "--clear", "-p", sys.executable, unfinished], check=True)
        subprocess.run([*uv, "pip", "install", *where, *what], check=True)
        unfinished.chmod(0o755)
        unfinished.rename(made)
    return made


def python() -> dict[str, Path]:
    base = Path(sys.base_prefix)
    return {} if base.is_relative_to("/usr") else {str(base): base}


def _copy(image: Image, words: str) -> None:
    """Copy from the checkout what .dockerignore lets through; another stage is this same tree."""
    if words.startswith("--from"):
        return
    source, target = words.split()
    place = image.root / target.lstrip("/")
    if (ROOT / source).is_dir():
        leave_out = shutil.ignore_patterns("tests", "__pycache__", ".*")
        shutil.copytree(ROOT / source, place, ignore=leave_out, dirs_exist_ok=True)
    else:
        folder = place if target.endswith("/") else place.parent
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / source, place)


def _run(image: Image, words: str) -> None:
    """Run it in the tree, as the build does."""
    if "pip install" in words:
        return
    lend = [
        shlex.join(["mount", "--bind", "--options", "ro", str(source), f"{image.root}{target}"])
        for target, source in image.shared.items()
    ]
    script = "\n".join([*lend, 'exec chroot "$0" sh -euc "$1"'])
    subprocess.run(["unshare", "--mount", "sh", "-euc", script, str(image.root), words], check=True)


def _environment(image: Image, words: str) -> None:
    for name, value in re.findall(r"(\w+)=(\S+)", words):
        image.environment[name] = value.replace("$PATH", image.environment["PATH"])


def _start(image: Image, words: str) -> None:
    image.entrypoint = json.loads(words)


def _command(image: Image, words: str) -> None:
    image.command = json.loads(words)


def _user(image: Image, words: str) -> None:
    image.user = words


def _folder(image: Image, words: str) -> None:
    image.folder = words


def _nothing(image: Image, words: str) -> None:
    """Leave out what makes no difference here: FROM, EXPOSE."""


_INSTRUCTIONS = {
    "COPY": _copy,
    "RUN": _run,
    "ENV": _environment,
    "ENTRYPOINT": _start,
    "CMD": _command,
    "USER": _user,
    "WORKDIR": _folder,
}
