"""`docker` for a shell that types what a document says; what it asks for a Project does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from local.tests.images import SERVERS

if TYPE_CHECKING:
    from pathlib import Path

    from local.tests.containers.container import Container
    from local.tests.containers.project import Project

ASK = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.connect({place!r})
    link.sendall(json.dumps(sys.argv[1:]).encode())
    link.shutdown(socket.SHUT_WR)
    words = json.load(link.makefile())
# What goes through docker is a pipe in the container, whatever it is here.
os.execvp("bash", ["bash", "-o", "pipefail", "-c", '"$@" < <(cat) | cat', "docker", *words])
"""


def type_in(project: Project, script: str, *, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it by bash in this folder. What it stops is killed, as nobody looks how it leaves."""
    place = f"\0parley-docker-{os.getpid()}"
    programs, output = folder / "programs", folder / "output"
    programs.mkdir(exist_ok=True)
    (programs / "docker").write_text(ASK.format(python=sys.executable, place=place))
    (programs / "docker").chmod(0o755)
    with socket.socket(socket.AF_UNIX) as link, output.open("w+") as said:
        link.bind(place)
        link.listen()
        link.settimeout(0.05)
        path = f"{programs}:{os.environ['PATH']}"
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env={"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            while shell.poll() is None:
                with suppress(TimeoutError):
                    _reply(project, link.accept()[0])
        finally:
            shell.kill()
            code = shell.wait()
        said.seek(0)
        return subprocess.CompletedProcess(script, code, said.read())


def _reply(project: Project, link: socket.socket) -> None:
    link.settimeout(None)
    with link, link.makefile("rw") as stream:
        json.dump(_do(project, json.load(stream)), stream)


def _do(project: Project, words: list[str]) -> list[str]:
    """Do what is asked for, and return what is left of it to run."""
    match words:
        case ["compose", "exec", "-T", name, *rest]:
            first = next(each for each in project.containers[name] if each.alive())
            return first.beside(*rest)
        case ["compose", "run", "--rm", "--no-deps", *rest]:
            return _one_off(project, [word for word in rest if word != "-T"]).command()
        case ["compose", "ps", "--quiet", name]:
            return ["printf", "%s\\n", *(each.name for each in project.containers[name])]
    _change(project, words)
    return ["true"]


def _change(project: Project, words: list[str]) -> None:
    match words:
        case ["compose", "stop", *names]:
            _kill(project, names)
        case ["compose", "restart", *names]:
            _kill(project, names)
            project.start(*names)
        case ["compose", "up", "--detach"]:
            # What runs once has run: Compose would run it again, which takes a while.
            project.start(*SERVERS)
        case ["compose", "up", "--detach", "--wait", "--no-deps", "--no-recreate", *rest]:
            _scale(project, rest)
        case ["stop" | "rm" as verb, *names]:
            _end(project, names, remove=verb == "rm")
        case _:
            raise AssertionError(f"nobody does this: docker {' '.join(words)}")


def _one_off(project: Project, words: list[str]) -> Container:
    entrypoint: list[str] = []
    if words[0] == "--entrypoint":
        _, program, *words = words
        entrypoint = [program]
    name, *command = words
    first = project.containers[name][0]
    if not command:
        return replace(first)
    service = project.described["services"][name]
    begin = entrypoint or service.get("entrypoint", project.image(name).entrypoint)
    return replace(first, words=[*begin, *command])


def _kill(project: Project, names: list[str]) -> None:
    for name in names:
        for each in project.containers[name]:
            each.kill()


def _scale(project: Project, words: list[str]) -> None:
    option, wanted, name = words
    assert (option, wanted.partition("=")[0]) == ("--scale", name)
    while len(project.containers[name]) < int(wanted.partition("=")[2]):
        project.start_as(project.described, name)


def _end(project: Project, names: list[str], *, remove: bool) -> None:
    for containers in project.containers.values():
        for each in [each for each in containers if each.name in names]:
            each.kill()
            if remove:
                containers.remove(each)
