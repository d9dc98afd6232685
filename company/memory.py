"""Memory of other runs: the configs that did best there, to be tried first here.

From each run come its champion, where it was proved, and the next best of what it measured; of several runs the best of
each goes before the second best of any, for a config that is good in one place may be bad in another (warm starts:
Feurer et al. 2015). Another project's config is brought into the new space by the names of parameters.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from company.chart import OrgChart, Start
from company.entities import Experiment
from company.judging import mean
from company.ledger import Ledger, LedgerError
from company.state import State

MOST = 6  # configs to begin with: enough for a few kinds of good ones, few beside a budget
OF_ONE = 3  # that come from one run


def with_memory(chart: OrgChart, directories: Sequence[Path]) -> OrgChart:
    """The chart with what did best in some runs to be tried first, after its own starts. Raises LedgerError."""
    if not directories:
        return chart
    known = [start.model_dump(mode="json") for start in (*chart.starts, *remembered([*map(_folded, directories)]))]
    return OrgChart.from_dict({**chart.to_dict(), "starts": known[: max(len(chart.starts), MOST)]})


def remembered(states: Sequence[State], count: int = MOST) -> tuple[Start, ...]:
    """The best configs of some companies, the best of each first; no config twice."""
    ranks = zip_longest(*(_best(state) for state in states))
    found: dict[str, Start] = {}
    for start in filter(None, chain.from_iterable(ranks)):
        found.setdefault(repr(sorted(start.config.items())), start)
    return tuple(found.values())[:count]


def _best(state: State) -> Iterator[Start]:
    """The champion where it is not the baseline, then proposals by the mean of their runs; none before the noise is
    known."""
    if state.champion is None:
        return
    champion, origin = state.champion.experiment, f"{state.chart.company} on {state.brief['name']}"

    def rank(tried: Experiment) -> tuple[bool, float]:
        values = [value for value in (tried.metric, *state.fresh_values(tried.id)) if value is not None]
        return tried.id != champion, mean([state.loss(value) for value in values])

    proposals = [e for e in state.experiments.values() if e.purpose == "proposal"]
    measured = [e for e in proposals if e.metric is not None and not e.code]  # with changed code it is another config
    for tried in sorted(measured, key=rank)[:OF_ONE]:
        yield Start(config=dict(tried.config), origin=origin)


def _folded(directory: Path) -> State:
    with contextlib.closing(Ledger(directory / "ledger.sqlite")) as ledger:
        if ledger.seq == 0:
            raise LedgerError(f"{directory}: no company was founded here: there is nothing to remember")
        return ledger.fold()
