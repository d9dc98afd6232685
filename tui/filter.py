"""The filter language of the experiments: `status:failed cfg.lr>=1e-3 -note:y | has:metric`. Pure.

Terms beside each other must all hold, `|` parts alternatives, `-` turns a term round. `field:value` looks for a part of
the text, `field=value` for all of it, `< <= > >=` compare numbers, `has:field` asks whether there is one, and a word
alone is looked for everywhere.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from company.entities import Experiment
from company.standing import better_by, champion_metric
from company.state import State

TERM = re.compile(r"""(?P<not>-)?(?:(?P<field>[A-Za-z_][\w.]*)(?P<op>>=|<=|[:=<>]))?(?P<value>"[^"]*"?|\S*)""")
TOKEN = re.compile(r"""(?:[^\s|"]|"[^"]*"?)+|\|""")

Read = Callable[[State, Experiment], Any]

FIELDS: Mapping[str, Read] = {
    "id": lambda s, e: e.id,
    "status": lambda s, e: e.status,
    "who": lambda s, e: e.proposer,
    "position": lambda s, e: e.position,
    "brain": lambda s, e: s.agents[e.proposer].brain.kind if e.proposer in s.agents else None,
    "purpose": lambda s, e: e.purpose,
    "sandbox": lambda s, e: e.sandbox or None,
    "code": lambda s, e: e.code or None,
    "parent": lambda s, e: e.parent,
    "metric": lambda s, e: e.metric,
    "sigma": lambda s, e: better_by(s, e.metric, champion_metric(s)),
    "predicted": lambda s, e: e.predicted,
    "cost": lambda s, e: e.cost,
    "seed": lambda s, e: e.seed,
    "slot": lambda s, e: e.slot,
    "at": lambda s, e: e.created_at,
    "verdict": lambda s, e: e.verdict,
    "standing": lambda s, e: e.standing or None,
    "failure": lambda s, e: e.failure,
    "note": lambda s, e: f"{e.reason} {e.detail}".strip() or None,
}
WORDS = ("id", "status", "who", "purpose", "verdict", "standing", "failure", "note")
EXAMPLE = "status:ok  who:bob  cfg.lr>=1e-3  sigma>0  -note:seed  has:verdict"

Test = Callable[[State, Experiment], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was typed; `problem` says why it cannot be used."""

    text: str
    alternatives: tuple[tuple[Test, ...], ...] = ()
    problem: str = ""

    def holds(self, state: State, experiment: Experiment) -> bool:
        """Whether an experiment is shown."""
        if not self.alternatives:
            return True
        return any(all(test(state, experiment) for test in tests) for tests in self.alternatives)


def parse(text: str) -> Filter:
    """Read a filter; one with a problem lets everything through."""
    groups: list[list[Test]] = [[]]
    for token in TOKEN.findall(text):
        if token == "|":
            groups.append([])
            continue
        found = _term(token)
        if isinstance(found, str):
            return Filter(text, (), found)
        groups[-1].append(found)
    return Filter(text, tuple(tuple(tests) for tests in groups if tests))


def _term(token: str) -> Test | str:
    """The test of a term, or what is wrong with it."""
    match = TERM.fullmatch(token)
    if match is None:
        return f"'{token[:30]}' is not a term: write field:value, field>=number or a word"
    field, op, value = match["field"], match["op"], match["value"].strip('"')
    test = _anywhere(value) if field is None else _about(field, op, value)
    if isinstance(test, str) or not match["not"]:
        return test
    return lambda state, experiment: not test(state, experiment)


def _anywhere(value: str) -> Test:
    wanted = value.casefold()
    return lambda s, e: any(wanted in str(FIELDS[name](s, e) or "").casefold() for name in WORDS)


def _about(field: str, op: str, value: str) -> Test | str:
    if field == "has":
        read = _reader(value)
        return read if isinstance(read, str) else lambda s, e: read(s, e) is not None
    read = _reader(field)
    if isinstance(read, str):
        return read
    if op in (":", "="):
        return _text(read, value, op)
    try:
        limit = float(value)
    except ValueError:
        return f"{field}{op} needs a number, not '{value[:20]}'"
    return lambda s, e: _compare(read(s, e), op, limit)


def _reader(field: str) -> Read | str:
    if field.startswith("cfg."):
        name = field[4:]
        return lambda s, e: e.config.get(name)
    if field in FIELDS:
        return FIELDS[field]
    near = difflib.get_close_matches(field, [*FIELDS, "has", "cfg."], 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(FIELDS)}, cfg.NAME"
    return f"no field '{field[:20]}': {hint}"


def _text(read: Read, value: str, op: str) -> Test:
    wanted = value.casefold()

    def test(state: State, experiment: Experiment) -> bool:
        found = read(state, experiment)
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return _same_number(found, wanted)
        text = "" if found is None else str(found).casefold()
        return text == wanted if op == "=" else wanted in text and (bool(wanted) or not text)

    return test


def _same_number(found: float, wanted: str) -> bool:
    try:
        return math.isclose(found, float(wanted), rel_tol=1e-9)
    except ValueError:
        return False


def _compare(found: Any, op: str, limit: float) -> bool:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    return {"<": found < limit, "<=": found <= limit, ">": found > limit, ">=": found >= limit}[op]
