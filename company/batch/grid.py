"""The rows of a scenario: every arm in every world, each with a number that stays its own."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from company.batch.rows import Arm
from company.batch.scenario import Scenario, ScenarioError, setting_text, short_names
from company.chart import OrgChart
from company.chart_problems import ChartError, quoted, suggest
from company.chart_yaml import load_chart
from company.comparison import combinations
from company.edits import EditError, SetPolicy
from company.revision import apply
from company.virtual import Pace
from company.wording import plain

SOLO = "solo"
RULE = "replace.rule"
CONTROL_RULES = ("never", "random")
LISTED = 6  # arms that an error lists


@dataclass(frozen=True, slots=True)
class Contender:
    """An arm with its chart as plain data; `control` says that it is there to be compared with."""

    arm: Arm
    chart: Mapping[str, Any]
    control: bool


@dataclass(frozen=True, slots=True)
class Task:
    """One row: everything that it depends on."""

    row: int
    arm: Arm
    chart: Mapping[str, Any]
    project: str
    seed: int
    slots: int
    engine: Literal["direct", "autogen"]
    pace: Pace


@dataclass(frozen=True, slots=True)
class Grid:
    """Arms x projects x seeds. Rows are numbered by seed, then project, then arm: worlds one after another.

    `again` are (name, project) of names that stand for a project that is there already.
    """

    scenario: Scenario
    arms: tuple[Contender, ...]
    projects: tuple[str, ...]
    again: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return self.scenario.seeds * len(self.projects) * len(self.arms)

    @property
    def controls(self) -> frozenset[Arm]:
        return frozenset(each.arm for each in self.arms if each.control)

    @property
    def base(self) -> Arm:
        """The first chart with the first values."""
        return self.arms[0].arm

    def task(self, row: int) -> Task:
        """The row of a number. Raises IndexError."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        world, arm = divmod(row, len(self.arms))
        seed, project = divmod(world, len(self.projects))
        wanted, contender = self.scenario, self.arms[arm]
        return Task(
            row, contender.arm, contender.chart, self.projects[project], wanted.seed + seed, wanted.slots,
            wanted.engine, wanted.pace,
        )  # fmt: skip

    def rows(self, first: int, last: int) -> range:
        """The numbers of all rows of the seeds from the `first`-th up to, not including, the `last`-th."""
        each = len(self.projects) * len(self.arms)
        return range(first * each, last * each)

    def named(self, name: str) -> Arm:
        """The arm that rows call so, "startup replace.rule=never". Raises ScenarioError, which lists the arms."""
        words, arms = name.split(), [each.arm for each in self.arms]
        found = [arm for arm in arms if words == [*arm.chart.split(), *arm.settings.split()]]
        if found:
            return found[0]
        there = "; ".join(plain(arm, 80) for arm in arms[:LISTED])
        more = f"; and {len(arms) - LISTED} more" if len(arms) > LISTED else ""
        hint = suggest(name, map(str, arms))
        raise ScenarioError(f"reference: no arm is called {quoted(name)}: there is {there}{more}{hint}")


def resolve(scenario: Scenario) -> Grid:
    """The grid of a scenario: charts loaded, settings made, controls added, projects found.

    Every arm gets the same budget: `experiments`, or that of the first chart. A project that is named twice is there
    once, under the first of its names. Raises ScenarioError in one line.
    """
    try:
        arms = _arms(scenario)
    except (ChartError, EditError) as error:
        raise ScenarioError(str(error).split("\n")[0]) from None
    first = _projects(scenario)
    again = tuple((name, project) for name, project in first.items() if name != project)
    return Grid(scenario, tuple(arms), tuple(dict.fromkeys(first.values())), again)


def _arms(scenario: Scenario) -> list[Contender]:
    names = short_names(scenario.charts)
    charts = {name: load_chart(chart) for chart, name in names.items()}
    first = next(iter(charts.values())).budget
    budget = {"experiments": scenario.experiments} if scenario.experiments else first.model_dump(exclude_none=True)
    charts = {name: _with_budget(chart, budget) for name, chart in charts.items()}
    wanted = {
        Arm(name, setting_text(setting.values)): setting.chart
        for name, chart in charts.items()
        for setting in combinations(chart, scenario.set)
    }
    _refuse_twins(wanted)
    if not scenario.controls:
        return [Contender(arm, chart.to_dict(), False) for arm, chart in wanted.items()]
    return _with_controls(wanted, dict(_controls(charts, budget)))


def _refuse_twins(wanted: Mapping[Arm, OrgChart]) -> None:
    """Two names for one chart would count its companies twice. Raises ScenarioError."""
    found: dict[str, Arm] = {}
    for arm, chart in wanted.items():
        twin = found.setdefault(json.dumps(chart.to_dict(), sort_keys=True), arm)
        if twin != arm:
            raise ScenarioError(f"{twin} and {arm} are the same chart at the same budget: name one of them")


def _with_controls(wanted: Mapping[Arm, OrgChart], controls: Mapping[Arm, OrgChart]) -> list[Contender]:
    """Wanted arms first; a control that is among them is marked there, and one that is like another is left out."""
    found: dict[Arm, Contender] = {}
    for arm, chart in wanted.items():
        marked = any(chart == control for control in controls.values()) and (bool(arm.settings) or arm.chart == SOLO)
        found[arm] = Contender(arm, chart.to_dict(), marked)
    for arm, chart in controls.items():
        data = chart.to_dict()
        if arm not in found and all(data != known.chart for known in found.values()):
            found[arm] = Contender(arm, data, True)
    return list(found.values())


def _controls(charts: Mapping[str, OrgChart], budget: Any) -> Iterator[tuple[Arm, OrgChart]]:
    """Each chart without and with random replacement, where anybody could be replaced; and one agent alone."""
    for name, chart in charts.items():
        if chart.talent and any(position.role == "manager" for position in chart.positions):
            for rule in CONTROL_RULES:
                changed = apply(chart, SetPolicy(key=RULE, value=rule))
                yield Arm(name, setting_text({RULE: rule})), changed
    yield Arm(SOLO), _with_budget(load_chart(SOLO), budget)


def _with_budget(chart: OrgChart, budget: Any) -> OrgChart:
    return OrgChart.from_dict(
        {**chart.to_dict(), "budget": budget if isinstance(budget, dict) else budget.model_dump()}
    )


def _projects(scenario: Scenario) -> dict[str, str]:
    """The project of each name, families taken apart: the first name that stands for the same.

    A world that cannot be made is found out now, not after an hour.
    """
    from company.simulated import FAMILIES
    from company.surrogates.catalogue import identity, worlds
    from company.surrogates.world import WorldError

    known, found = dict[Hashable, str](), dict[str, str]()
    for name in [kind for project in scenario.projects for kind in FAMILIES.get(project, (project,))]:
        try:
            if len(made := worlds(name, scenario.seed)) != 1:
                raise ScenarioError(f"project '{name}' is {len(made)} worlds: name each of them")
            found[name] = known.setdefault(identity(name), name)
        except WorldError as error:
            raise ScenarioError(str(error)) from None
    return found
