"""Small changes of the training code by rule: patches without a model, and the control for one that writes them.

A number is made larger or smaller, or one activation takes the place of another. Where no patch is taken, and for the
rest of its proposals, it climbs hills in the space of configs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roles.brains import hillclimb
from roles.brains.record import Suggestion
from roles.observation import Observation

ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "elu", "mish", "softplus")  # of torch.nn.functional, as F
FACTORS = (0.5, 2.0)
STEP = 0.35  # of the hill climber
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a file that can be changed: its line from 0, where the old text is in it, and what may stand there."""

    line: int
    start: int
    end: int
    choices: tuple[str, ...]


def suggest(observation: Observation, params: Mapping[str, Any], rng: np.random.Generator) -> Suggestion | None:
    """A patch of the code that is shown, `share` of the time; else a neighbour of the best config."""
    if observation.code and rng.random() < params["share"]:
        name = sorted(observation.code)[int(rng.integers(len(observation.code)))]
        text = observation.code[name]
        found = list(sites(text))
        if found:
            site = found[int(rng.integers(len(found)))]
            return _patched(observation, name, text, site, site.choices[int(rng.integers(len(site.choices)))])
    return hillclimb.suggest(observation, {"step": STEP}, rng)


def sites(text: str) -> Iterator[Site]:
    """What can be changed in a file, in the order of its text; nothing in one that does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = text.split("\n")
    constants = {
        value for node in tree.body if isinstance(node, ast.Assign) and _is_constant(node) for value in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.expr)
            and (choices := _choices(node, node in constants))
            and node.lineno == node.end_lineno
        ):
            line = lines[node.lineno - 1]
            if line.isascii():  # columns are counted in bytes
                yield Site(node.lineno - 1, node.col_offset, node.end_col_offset or 0, choices)


def _choices(node: ast.expr, is_constant: bool) -> tuple[str, ...]:
    """What may stand in the place of an expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return _numbers(node.value, is_constant)
    if isinstance(node, ast.Attribute) and node.attr in ACTIVATIONS and ast.unparse(node.value) == "F":
        return tuple(f"F.{name}" for name in ACTIVATIONS if name != node.attr)
    return ()


def _is_constant(node: ast.Assign) -> bool:
    """Whether an assignment at the top of a file names constants, whose whole numbers are no indices."""
    names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return bool(names) and all(_CONSTANT.fullmatch(name) for name in names)


def _numbers(value: float, is_constant: bool) -> tuple[str, ...]:
    """Half and double of a number; of one just under 1, such as a momentum, of what it lacks."""
    if isinstance(value, int):
        return tuple(str(round(value * factor)) for factor in FACTORS) if is_constant and value > 1 else ()
    if value in (0.0, 1.0):
        return ()
    if 0.5 < value < 1.0:
        return tuple(f"{1 - (1 - value) * factor:.6g}" for factor in FACTORS)
    return tuple(f"{value * factor:.6g}" for factor in FACTORS)


def _patched(observation: Observation, name: str, text: str, site: Site, new: str) -> Suggestion:
    lines = text.split("\n")
    old = lines[site.line]
    first, last = _unique(lines, site.line)
    after = [*lines[first : site.line], old[: site.start] + new + old[site.end :], *lines[site.line + 1 : last]]
    search, replace = "\n".join(lines[first:last]), "\n".join(after)
    patch = f"{name}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"
    config = observation.champion.config if observation.champion else observation.baseline
    return Suggestion(dict(config), None, f"{old[site.start : site.end]} -> {new} in line {site.line + 1}", patch)


def _unique(lines: list[str], at: int) -> tuple[int, int]:
    """The fewest lines around `at` that are there once."""
    bare = [line.rstrip() for line in lines]
    first, last = at, at + 1
    while sum(bare[n : n + last - first] == bare[first:last] for n in range(len(bare))) > 1:
        first, last = max(0, first - 1), min(len(bare), last + 1)
    return first, last
