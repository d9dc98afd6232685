"""What the sealed evaluator says of a run: one JSON line, the last that it prints."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from company.compute.endings import Why, lost
from company.compute.log import clean
from company.compute.tail import read_end
from roles.intents import FailureKind

ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Score:
    """The metric over `n` held-out examples."""

    metric: float
    n: int


def read_answer(path: Path) -> Score | Why:
    """The evaluator's answer; an `evaluation` failure where it gave none that can be understood."""
    lines = read_end(path, ANSWER_BYTES).decode(errors="replace").strip().splitlines()
    if not lines:
        return unclear("it said nothing")
    try:
        answer = json.loads(lines[-1])
        return failed(answer) if "failure" in answer else score(answer)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return unclear(f"it said {clean(lines[-1])[:200]!r}")


def score(answer: dict[str, object]) -> Score | Why:
    metric, n = answer["metric"], answer.get("n", 0)
    if type(metric) not in (int, float) or type(n) is not int:
        raise TypeError
    value = float(metric)  # pyright: ignore[reportArgumentType]
    if not math.isfinite(value):
        return Why("failed", "diverged", "the metric is not a number")
    return Score(value, n)  # pyright: ignore[reportArgumentType]


def failed(answer: dict[str, object]) -> Why:
    kind, detail = str(answer["failure"]), clean(str(answer.get("detail", "")))[:600]
    if kind == "infrastructure":
        return lost(detail)
    if kind in get_args(FailureKind):
        return Why("failed", kind, detail)
    return Why("failed", "evaluation", f"{clean(kind)[:80]}: {detail}")


def unclear(detail: str) -> Why:
    return Why("failed", "evaluation", f"the evaluator gave no metric: {detail}")
