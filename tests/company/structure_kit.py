"""Views of companies whose truth is planted, for the tests of reorganisation and promotion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from company.chart import OrgChart
from company.company_view import CompanyView, Past, Trial, Worth, Z

SPREAD = 0.5


def lab(teams: Mapping[str, Sequence[str]], communication: str = "team", root: str = "vera") -> OrgChart:
    """A chart of teams under one root, by lead; `root` itself may lead one."""
    seats = [{"id": root, "role": "manager"}]
    seats += [{"id": lead, "role": "manager", "reports_to": root} for lead in teams if lead != root]
    seats += [{"id": name, "role": "researcher", "reports_to": lead} for lead, team in teams.items() for name in team]
    return OrgChart.from_dict({"company": "planted", "communication": communication, "positions": seats})


def shrunk(scores: Sequence[float], spread: float = SPREAD) -> Worth:
    """The posterior for scores with noise 1 around a worth of N(0, spread^2)."""
    precision = 1 / spread**2 + len(scores)
    mean, half = sum(scores) / precision, Z / math.sqrt(precision)
    return Worth(mean, mean - half, mean + half, len(scores))


def planted(
    chart: OrgChart, rng: np.random.Generator, n: int = 60, truth: Mapping[str, float] | None = None,
    centres: Mapping[str, np.ndarray] | None = None, champions: Sequence[int] = (), history: Sequence[Past] = (),
    dims: int = 4,
) -> CompanyView:  # fmt: skip
    """`n` proposals by the researchers in turn; a team searches around its centre, or everywhere without one."""
    truth, centres = truth or {}, centres or {}
    researchers = chart.by_role("researcher")
    trials: list[Trial] = []
    scores: dict[str, list[float]] = {name: [] for name in researchers}
    for order in range(1, n + 1):
        name = researchers[order % len(researchers)]
        centre = centres.get(chart.manager_of(name) or "")
        unit = rng.random(dims) if centre is None else (centre + 0.08 * rng.standard_normal(dims)) % 1.0
        score = truth.get(name, 0.0) + rng.standard_normal()
        scores[name].append(score)
        trials.append(Trial(order, name, tuple(unit.tolist()), float(math.sinh(-score))))
    worth = {name: shrunk(own) for name, own in scores.items()}
    meetings = dict.fromkeys(chart.by_role("manager"), n // 6)
    return CompanyView(chart, n, worth, meetings, tuple(trials), tuple(champions), tuple(history), reference=0.0)
