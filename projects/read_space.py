"""The `space:` of a project.yaml as a SearchSpace, and the small checks that all readers share."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from projects.spec import Parameter, SearchSpace

PARAMETER_KEYS = ("float", "int", "choice", "log", "shape", "about")
LARGEST_GRID = 4096  # combinations of shape parameters: more would take hours to calibrate

Say = Callable[[str], None]


def read_space(found: Any, say: Say) -> SearchSpace:
    """The search space of a parsed `space:` section; what is wrong with it goes to `say`, a line each."""
    if not isinstance(found, Mapping) or not found:
        say("space: must map each parameter's name to its range, as in 'width: {choice: [32, 64]}'")
        return SearchSpace(())
    made = [read_parameter(str(name), about, say) for name, about in found.items()]
    space = SearchSpace(tuple(parameter for parameter in made if parameter))
    size = math.prod(len(parameter.grid) for parameter in space.parameters if parameter.shape)
    if size > LARGEST_GRID:
        say(f"space: {size} combinations of shape parameters cannot be calibrated; keep under {LARGEST_GRID}")
    return space


def read_parameter(name: str, about: Any, report: Say) -> Parameter | None:
    """One parameter, or None when something is wrong with it."""
    problems: list[str] = []
    found = _parameter(name, about, problems.append)
    for problem in problems:
        report(f"space: {name}: {problem}")
    return None if problems else found


def _parameter(name: str, about: Any, say: Say) -> Parameter | None:
    if not isinstance(about, Mapping):
        say("must be like {float: [low, high]}, {int: [low, high]} or {choice: [...]}")
        return None
    known_keys(say, about, PARAMETER_KEYS)
    kinds = [kind for kind in ("float", "int", "choice") if kind in about]
    if len(kinds) != 1:
        say("needs exactly one of float, int and choice")
        return None
    kind, values, log = kinds[0], about[kinds[0]], about.get("log", False)
    shape, words = about.get("shape", False), str(about.get("about", ""))
    if not isinstance(log, bool) or not isinstance(shape, bool):
        say("log and shape must be true or false")
    fault = choice_fault(values) if kind == "choice" else range_fault(kind, values, log is True)
    if fault:
        say(fault)
        return None
    if shape is True and (kind == "float" or (kind == "int" and values[1] - values[0] > LARGEST_GRID)):
        say("a shape parameter needs a few values to be calibrated: make it a choice")
        return None
    if kind == "choice":
        return Parameter(name, "choice", values=tuple(values), shape=shape, about=words)
    number = "int" if kind == "int" else "float"
    return Parameter(name, number, float(values[0]), float(values[1]), log, shape=shape, about=words)


def choice_fault(values: Any) -> str:
    """Why a value cannot be the list of a choice; empty when it can."""
    if not isinstance(values, list) or len(values) < 2:
        return "choice needs a list of at least two values"
    if not all(isinstance(value, (str, bool)) or is_number(value) for value in values):
        return "choice holds words, numbers, true and false only (write ~ as 'none')"
    return "choice repeats a value" if len({str(value) for value in values}) < len(values) else ""


def range_fault(kind: str, values: Any, log: bool) -> str:
    """Why a value cannot be the range of a float or an int; empty when it can."""
    if not (isinstance(values, list) and len(values) == 2 and all(is_number(value) for value in values)):
        return f"{kind} needs [low, high], two numbers"
    if values[0] >= values[1]:
        return f"low {values[0]} is not under high {values[1]}; swap them"
    if log and values[0] <= 0:
        return f"a logarithmic range starts above 0, not at {values[0]}"
    return "int needs whole numbers" if kind == "int" and any(value != int(value) for value in values) else ""


def known_keys(say: Say, mapping: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
    """Say which settings do not exist, each with the nearest that does."""
    for name in mapping:
        if name not in known:
            say(f"{where}'{name}' is not a setting{nearest(str(name), known, ': ')}")


def is_number(value: object) -> bool:
    """Whether a parsed value is a finite number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def nearest(word: str, known: Iterable[str], before: str = "") -> str:
    """A question with the known word most like `word`, or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f"{before}did you mean {found[0]}?" if found else ""
