"""The same company under several settings, in the same simulated worlds: what a policy is worth, with an interval.

Every setting meets the same seeds, and a seed fixes landscape, baseline, noise and applicants whatever the company
decides (common random numbers), so that settings are compared pair by pair (company/paired.py).
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from statistics import fmean
from typing import Any

from company.chart import OrgChart
from company.chart_problems import quoted
from company.edits import EditError, SetPolicy
from company.paired import Difference, difference
from company.revision import apply

PREFIX = "policies."  # may be written, as in the chart, or left out


@dataclass(frozen=True, slots=True)
class Setting:
    """A chart with some policies set, by dotted key; `name` is how a person wrote it."""

    name: str
    values: Mapping[str, Any]
    chart: OrgChart


@dataclass(frozen=True, slots=True)
class Job:
    """One company to run: a setting by its index, a task of the project by its index, a seed."""

    setting: int
    task: int
    seed: int
    chart: Mapping[str, Any]
    project: str
    slots: int


@dataclass(frozen=True, slots=True)
class Row:
    """What one company came to. `regret` is of its champion's true loss: 0 the best there is, 1 a random draw."""

    setting: int
    task: str
    seed: int
    regret: float
    replacements: int
    structure_changes: int
    experiments: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows in the order of settings, seeds and tasks, and each later setting against the first."""

    settings: tuple[Setting, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]

    def of(self, setting: int) -> list[Row]:
        return [row for row in self.rows if row.setting == setting]

    def mean(self, setting: int, column: str) -> float:
        return fmean(getattr(row, column) for row in self.of(setting))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        columns = ("regret", "replacements", "structure_changes", "experiments")
        settings = [
            {
                "setting": setting.name,
                "values": dict(setting.values),
                **{column: self.mean(i, column) for column in columns},
                "runs": [{k: v for k, v in asdict(row).items() if k != "setting"} for row in self.of(i)],
            }
            for i, setting in enumerate(self.settings)
        ]
        return {"settings": settings, "differences": [asdict(each) for each in self.differences]}


def settings(chart: OrgChart, options: Sequence[str]) -> tuple[Setting, ...]:
    """Every combination of "KEY=V1,V2" options, the first values first. Raises EditError in one line."""
    return combinations(chart, choices(options))


def combinations(chart: OrgChart, choices: Mapping[str, Sequence[Any]]) -> tuple[Setting, ...]:
    """Every combination of the values of some keys, the first values first. Raises EditError in one line."""
    grid = itertools.product(*choices.values())
    return tuple(_setting(chart, dict(zip(choices, values, strict=True))) for values in grid)


def choices(options: Sequence[str]) -> dict[str, list[Any]]:
    """The values by key of "KEY=V1,V2" options. Raises EditError in one line."""
    found: dict[str, list[Any]] = {}
    for key, values in map(_choice, options):
        if key in found:
            raise EditError(f"{quoted(key)} is set twice: give all its values at once, KEY=V1,V2")
        found[key] = values
    return found


def _choice(option: str) -> tuple[str, list[Any]]:
    """The key and the values of "KEY=V1,V2"; values are YAML, so that [0.25, 0.5] is one."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, text = option.partition("=")
    key = key.strip().removeprefix(PREFIX)
    if not (key and equals and text.strip()):
        raise EditError(f"{quoted(option)} is not KEY=V1,V2, such as policies.replace.rule=never,posterior")
    try:
        values = YAML(typ="safe", pure=True).load(f"[{text}]")
    except (YAMLError, ValueError):
        values = None
    if not isinstance(values, list) or not values:
        raise EditError(f"{key}: {quoted(text)} cannot be read as values with commas between them")
    return key, values


def _setting(chart: OrgChart, values: Mapping[str, Any]) -> Setting:
    for key, value in values.items():
        chart = apply(chart, SetPolicy(key=key, value=value))
    return Setting(" ".join(f"{key}={value}" for key, value in values.items()) or "as it is", values, chart)


def jobs(settings: Sequence[Setting], project: str, seeds: Sequence[int], slots: int) -> list[Job]:
    """One job for each setting, seed and task of the project."""
    from company.simulated import FAMILIES

    charts = [setting.chart.to_dict() for setting in settings]
    tasks = range(len(FAMILIES[project]))
    return [Job(i, t, s, chart, project, slots) for i, chart in enumerate(charts) for s in seeds for t in tasks]


def work(job: Job) -> Row:
    """Let one company work from founding to closing."""
    from company.simulated import tasks
    from company.testing import drive

    task = tasks(job.project, job.seed)[job.task]
    state = drive(task.project(), OrgChart.from_dict(job.chart), task.train, seed=job.seed, slots=job.slots).state
    happened = [type(event).__name__ for _, event in state.changes]
    config = state.champion.config if state.champion else task.baseline
    tried = sum(e.purpose == "proposal" and e.started_at > 0 for e in state.experiments.values())
    return Row(
        job.setting, task.name, job.seed, task.regret(config), happened.count("AgentReplaced"),
        happened.count("ChartRevised"), tried,
    )  # fmt: skip


def run(todo: Sequence[Job], processes: int) -> Iterator[Row]:
    """The rows of jobs in their order, by one process or several."""
    if processes == 1:
        yield from map(work, todo)
        return
    context = get_context("forkserver")  # a forked child of a process with threads could hang
    context.set_forkserver_preload(["company.simulated", "company.comparison"])
    with ProcessPoolExecutor(processes, context, _leave_interrupts_to_the_parent) as pool:
        try:
            yield from pool.map(work, todo)
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def compare(settings: Sequence[Setting], rows: Sequence[Row]) -> Comparison:
    """Each later setting against the first, paired by seed: a seed's regret is its mean over the tasks."""
    per_seed = [_by_seed(rows, i) for i in range(len(settings))]
    found = [
        difference(setting.name, settings[0].name, per_seed[i], per_seed[0])
        for i, setting in enumerate(settings)
        if i
    ]  # fmt: skip
    return Comparison(tuple(settings), tuple(rows), tuple(found))


def _by_seed(rows: Sequence[Row], setting: int) -> list[float]:
    mine = [row for row in rows if row.setting == setting]
    return [fmean(row.regret for row in mine if row.seed == seed) for seed in dict.fromkeys(row.seed for row in mine)]
