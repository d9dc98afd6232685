"""Runs to report on: a whole company in a real ledger, and what is hostile about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.engine import Engine, Step
from company.ledger import Ledger
from company.state import State
from company.testing import Decide, Rehearsal, Trainer, offline, planted_project, planted_trainer
from projects.spec import Project
from roles.intents import Intent
from roles.observation import Observation

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'</style></svg>]]>"
    "[bold red]boo[/] [link=file:///etc/passwd]x[/link] [/nope] | `x` **y** [a](javascript:1) \n# h\r"
    "\x1b[2J\x1b]0;title\x07\x9b31m\u202eevil\u200b\ud800\x00" + "A" * 10_000
)


def record(
    folder: Path, chart: str | OrgChart = "startup", train: Trainer | None = None, *, decide: Decide = offline,
    project: Project | None = None, slots: int = 2, most: int = 10**6, seed: int = 0,
    on_step: Callable[[State, Step], None] = lambda state, step: None, budget: int | None = None,
) -> State:  # fmt: skip
    """Run a company into `folder`/ledger.sqlite, at most `most` steps; returns its state.

    `on_step` hears of every step as from the live shell; the ledger gets them all at once, which is a hundred times
    faster and reads the same.
    """
    chart = load_chart(chart) if isinstance(chart, str) else chart
    if budget is not None:
        chart = chart.model_copy(update={"budget": chart.budget.model_copy(update={"experiments": budget})})
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    ledger.open_session("run", "test")
    engine = Engine(project or planted_project())
    rehearsal = Rehearsal(engine, train or planted_trainer(), decide)
    step: Step | None = rehearsal.follow(engine.found(chart, seed, slots))
    events = []
    while step is not None and most > 0:
        if step.events:
            events += step.events
            on_step(engine.state, step)
        step, most = rehearsal.advance(), most - 1
    ledger.append(events, engine.state)
    ledger.close_session()
    ledger.close()
    return engine.state


def hostile(state: State, observation: Observation) -> list[Intent]:
    """The offline decisions, with every free text replaced by what a stranger might write."""
    decided = []
    for intent in offline(state, observation):
        free = {f for f in ("reason", "because", "advice", "text") if f in type(intent).model_fields}
        update: Mapping[str, Any] = dict.fromkeys(free, HOSTILE)
        decided.append(intent.model_copy(update=update))
    return decided
