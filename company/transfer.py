"""What results on other versions of the code say of the present one: optimisers model one function of a config.

A patch shifts the metric. How much is known where it was first tried, by its runs and its parent's at the same config.
Results on other versions count as if the whole landscape had moved by that; where no parent ran there, as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from company.judging import mean
from company.state import State
from roles.observation import Result


def transferred(state: State, results: Sequence[Result], code: str) -> Sequence[Result]:
    """The results with their losses as they would be on version `code`; the same sequence where all are on it."""
    others = {result.code for result in results} - {code}
    if not others:
        return results
    to = _level(state, code)
    shift = {other: to - _level(state, other) for other in others} | {code: 0.0}
    return [
        result
        if result.loss is None or not shift[result.code]
        else replace(result, loss=result.loss + shift[result.code])
        for result in results
    ]


def _level(state: State, code: str) -> float:
    """How far a version lies above the project's own code: the sum of what its patches changed."""
    level = 0.0
    while code:
        written = state.codes[code].event
        level += _change(state, written.experiment, written.code, written.parent)
        code = written.parent
    return level


def _change(state: State, experiment: str, code: str, parent: str) -> float:
    """What a patch did to the loss at the config that it was first tried with; 0 where that is not known."""
    unit = state.experiments[experiment].unit
    after, before = (
        [r.loss for r in state.results if r.code == version and r.unit == unit] for version in (code, parent)
    )
    known = [[loss for loss in losses if loss is not None and math.isfinite(loss)] for losses in (after, before)]
    return mean(known[0]) - mean(known[1]) if all(known) else 0.0
