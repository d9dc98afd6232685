"""Read the `editable` section of a project.yaml: what the company's agents may change, and within which bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.read_space import known_keys

SETTINGS = ("files", "imports", "max_lines")
SEALED = ("evaluate.py", "project.yaml", "costs.json")
MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class Editable:
    """`files` that may change, `imports` allowed beyond the usual ones, `max_lines` of all files together."""

    files: tuple[str, ...] = ("train.py",)
    imports: tuple[str, ...] = ()
    max_lines: int = MAX_LINES


def read_editable(document: Mapping[str, Any], say: Callable[[str], None]) -> Editable:
    """The section, or the defaults where it is missing; `say` gets a line for everything that is wrong."""
    found = document.get("editable", {})
    if not isinstance(found, Mapping):
        say(f"editable: must be a mapping with {', '.join(SETTINGS)}")
        return Editable()
    known_keys(say, found, SETTINGS, "editable: ")
    files, imports = _names(found, "files", ["train.py"], say), _names(found, "imports", [], say)
    listed = document.get("sealed")
    sealed = {*SEALED, *map(str, listed if isinstance(listed, list) else ())}
    for name in files:
        if Path(name).is_absolute() or ".." in Path(name).parts or not name.endswith(".py"):
            say(f"editable: '{name}' must be a .py file in this folder")
        elif name in sealed:
            say(f"editable: '{name}' is sealed: no agent may change what it is judged by")
    if "train.py" not in files:
        say("editable: files must list train.py")
    lines = found.get("max_lines", MAX_LINES)
    if isinstance(lines, bool) or not isinstance(lines, int) or lines < 1:
        say(f"editable: max_lines must be a whole number from 1, not {lines!r}")
        lines = MAX_LINES
    return Editable(tuple(dict.fromkeys(files)), tuple(imports), lines)


def _names(section: Mapping[str, Any], key: str, default: list[str], say: Callable[[str], None]) -> list[str]:
    found = section.get(key, default)
    if isinstance(found, list) and all(isinstance(name, str) and name for name in found):
        return found
    say(f"editable: {key} must be a list of names, such as {default or ['einops']}")
    return default
