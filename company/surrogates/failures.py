"""How simulated trainings fail: as the nearest recorded config that failed did, as far and as fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from company.surrogates.kernel import squares
from company.surrogates.model import Surrogate
from company.surrogates.recording import Curve, Row
from roles.intents import FailureKind


@dataclass(frozen=True, slots=True)
class Failure:
    """`curve` is what was seen of it at RUNGS, `share` the part of a whole run's time that it took."""

    kind: FailureKind
    curve: Curve
    share: float


def failures(surrogate: Surrogate) -> list[Failure]:
    """For each recorded config how it, or the one nearest to it that failed, failed; empty where none did."""
    failed = {i: _first(group.rows) for i, group in enumerate(surrogate.groups) if group.failed}
    if not failed:
        return []
    at, usual = np.array(list(failed)), _usual(surrogate)
    nearest = squares(surrogate.points, surrogate.points[at]).argmin(axis=1)
    rows = [failed[int(at[i])] for i in nearest]
    return [Failure(_kind(row.failure), row.curve or (), _share(row, usual)) for row in rows]


def _first(rows: tuple[Row, ...]) -> Row:
    return next(row for row in rows if row.status == "failed")


def _usual(surrogate: Surrogate) -> float | None:
    """The median of seconds over cost among runs that came to their end."""
    rows = (row for group in surrogate.groups for row in group.rows if row.status == "ok")
    found = [row.seconds / row.cost for row in rows if row.seconds and row.cost]
    return float(np.median(found)) if found else None


def _share(row: Row, usual: float | None) -> float:
    return min(1.0, row.seconds / row.cost / usual) if row.seconds and row.cost and usual else 1.0


def _kind(failure: str | None) -> FailureKind:
    return next((kind for kind in get_args(FailureKind) if kind == failure), "crash")
