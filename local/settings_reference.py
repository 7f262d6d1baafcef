"""Writes docs/settings.md: what the code reads, beside what shared/configs/env/ says of it.

Usage: python -m local.settings_reference
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = ROOT / "docs" / "settings.md"
SERVICES = ("auth_service", "messaging_service")
REQUIRED, SOMETIMES, NONE = "refuses to start", "see above", "none"
# Read by what both services share, but of no use to the one that signs.
NOT_FOR = {"auth_service": {"JWT_PUBLIC_KEY"}}

_HEAD = """\
# Settings

Made from the code and from [shared/configs/env/](../shared/configs/env/) by \
`python -m local.settings_reference`; a test fails if it is out of date. Limits are those of the \
contract.

A setting is taken from the environment of the process, else from the service's file. In \
containers that file is made at the first start, with secrets in place of what says `change-me`; \
outside DEBUG a service refuses to start on such a placeholder, and on a secret shorter than 32 \
characters. What `own.env` beside these files says, yours and in no repository, replaces it: see \
[operations.md](operations.md#secrets).
"""


@dataclass
class Group:
    """Settings that one comment in a file speaks of."""

    comment: str
    values: dict[str, str] = field(default_factory=dict)


def groups(service: str) -> list[Group]:
    """Return what a file of settings says, in its order; a setting left out there is empty."""
    found: list[Group] = []
    is_comment = False
    text = (ROOT / "shared" / "configs" / "env" / f"{service}.env").read_text()
    for line in text.splitlines():
        if setting := re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line):
            off, name, value = setting.groups()
            found[-1].values[name] = "" if off else value
        elif line.startswith("#") and is_comment:
            found[-1].comment += line.removeprefix("#")
        elif line.startswith("#"):
            found.append(Group(line.removeprefix("# ")))
        is_comment = line.startswith("# ")
    return [group for group in found if group.values]


def read(service: str) -> dict[str, str]:
    """Return every setting its code reads, with what holds where it is left out."""
    tree = ast.parse((ROOT / service / "config" / "settings.py").read_text())
    shared = _shared_readers()
    found = {"DEBUG": "`false`"}
    for statement in tree.body:
        is_conditional = any(isinstance(each, ast.IfExp) for each in ast.walk(statement))
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("env."):
                names = _setting(call) if call.args else shared[ast.unparse(call.func)]
                found |= {
                    name: SOMETIMES if is_conditional and left_out == REQUIRED else left_out
                    for name, left_out in names.items()
                }
    return {name: found[name] for name in found.keys() - NOT_FOR.get(service, set())}


def _setting(call: ast.Call) -> dict[str, str]:
    """Return the one of `env.int("NAME", default=3)`; of a loop over names none."""
    if not isinstance(call.args[0], ast.Constant):
        return {}
    defaults = [_plain(each.value) for each in call.keywords if each.arg == "default"]
    is_optional = ast.unparse(call.func) == "env.origins"
    return {str(call.args[0].value): defaults[0] if defaults else NONE if is_optional else REQUIRED}


def _shared_readers() -> Mapping[str, dict[str, str]]:
    """Return what each method of Environment reads that takes no name: `env.database()`."""
    kit = ast.parse((ROOT / "shared" / "service_kit" / "environment.py").read_text())
    methods = [each for each in ast.walk(kit) if isinstance(each, ast.FunctionDef)]
    return {f"env.{each.name}": dict(_read_by(each)) for each in methods}


def _read_by(method: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield what it reads; where several ways lead to one setting, the last says what holds."""
    nodes = list(ast.walk(method))
    has_another_way = any(isinstance(each, ast.If) and _returns(each) for each in nodes)
    needed = SOMETIMES if has_another_way else REQUIRED
    for reader, left_out in (
        (r"self\.required\('(\w+)'\)", needed),
        (r"self\.secret\('(\w+)'\)", needed),
        (r"self\.ENVIRON\['(\w+)'\]", needed),
        (r"self\.ENVIRON\.get\('(\w+)'.*\)", NONE),
    ):
        for node in nodes:
            if found := re.fullmatch(
                reader, ast.unparse(node) if isinstance(node, ast.expr) else ""
            ):
                yield found[1], left_out
    for node in nodes:
        if isinstance(node, ast.BoolOp) and (
            found := re.fullmatch(r"self\.ENVIRON\.get\('(\w+)'\) or .*", ast.unparse(node))
        ):
            yield found[1], _plain(node.values[1])


def _returns(node: ast.If) -> bool:
    return isinstance(node.body[0], ast.Return)


def _plain(node: ast.expr) -> str:
    """Return a default as one would write it in a file."""
    if ast.unparse(node) == "self.service":
        return "the service's name"
    value = _value(node)
    if value == "":
        return NONE
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _value(node: ast.expr) -> object:
    """Evaluate a constant, or a product of them."""
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        assert isinstance(left, int)
        assert isinstance(right, int)
        return left * right
    return ast.literal_eval(node)


def text() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *(line for service in SERVICES for line in _section(service))])


def _section(service: str) -> Iterator[str]:
    known = read(service)
    yield f"## {service}\n"
    for group in groups(service):
        yield f"{group.comment}\n"
        yield "| setting | in the file | left out |"
        yield "|---|---|---|"
        for name, value in group.values.items():
            yield f"| `{name}` | {f'`{value}`' if value else ''} | {known.get(name, '')} |"
        yield ""


if __name__ == "__main__":
    FILE.write_text(text())
