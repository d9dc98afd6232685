"""A company that changes code without training any: a toy project, a world that reads code, people with a script."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

from company import events as ev
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.compute.backend import Outcome
from company.engine import Engine, Step
from company.state import State
from company.testing import Rehearsal, offline, planted_project
from company.virtual import Run
from projects.spec import Project
from roles.intents import Intent, Patch, Propose
from roles.observation import Observation
from roles.streams import stream

CODE = '''"""A toy."""
import math

GAIN = 0.0


def train(x):
    total = 0.0
    for value in x:  # slowly
        total = total + value
    return math.sqrt(total)


def load(folder, device):
    return folder


def predict(model, inputs):
    return inputs
'''
SIGMA = 0.02
WAIT = object()
Script = Mapping[tuple[str, str], Sequence[Intent | tuple[str, Intent] | None]]


def toy_project() -> Project:
    """The planted project with a train.py whose `GAIN = x` makes the metric better by x; `boom` in it crashes."""
    return dataclasses.replace(planted_project(), code={"train.py": CODE})


def replace(old: str, new: str, **more: object) -> Patch:
    """A patch of one block."""
    block = f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE"
    return Patch(patch=block, reason=str(more.pop("reason", "an idea")), **more)  # type: ignore[arg-type]


def gain(before: float, after: float, **more: object) -> Patch:
    return replace(f"GAIN = {before}", f"GAIN = {after}", **more)


class Company(Rehearsal):
    """Trains by reading the code that an experiment carries; `seen` keeps every observation.

    `script` maps (agent, task) to what it decides in turn: an intent, (text, intent) for when it is shown code with
    that text, None for what its offline policy decides. Everybody else decides offline.
    """

    def __init__(self, chart: OrgChart, script: Script, state: State | None = None, project: Project | None = None):
        self.script, self.seen = {key: list(turns) for key, turns in script.items()}, list[Observation]()
        super().__init__(Engine(project or toy_project(), state), self._train, self._decide)
        self.chart = chart

    def run(self, slots: int = 1) -> list[Step]:
        """Found the company and let it work to its end."""
        steps = [self.follow(self.engine.found(self.chart, 0, slots))]
        while (step := self.advance()) is not None:
            steps.append(step)
        assert self.engine.state.phase == "closed"
        return steps

    def _decide(self, state: State, seen: Observation) -> list[Intent]:
        self.seen.append(seen)
        turns = self.script.get((seen.agent, seen.task))
        turn = turns[0] if turns else None
        if isinstance(turn, tuple):
            turn = turn[1] if turn[0] in seen.code.get("train.py", "") else WAIT
        if turns and turn is not WAIT:
            turns.pop(0)
        return [turn] if isinstance(turn, Intent) else offline(state, seen)

    def _train(self, run: Run) -> Outcome:
        state = self.engine.state
        code = state.codes[run.code].event.files["train.py"] if run.code else CODE  # type: ignore[attr-defined]
        if "boom" in code:
            return Outcome("failed", failure="crash", detail="Traceback\nNameError: name 'boom' is not defined")
        found = re.search(r"GAIN = ([-\d.]+)", code)
        noise = SIGMA * float(stream(run.seed, "toy", "noise").standard_normal())
        return Outcome("ok", metric=3.0 - float(found[1] if found else 0.0) + noise)


def small_chart(experiments: int = 8, **policies: Mapping[str, object]) -> OrgChart:
    """The startup with one researcher and without finals."""
    data = load_chart("startup").to_dict()
    data["budget"] = {"experiments": experiments}
    data["positions"] = [p for p in data["positions"] if p["id"] != "cleo"]
    data["policies"]["accept"] |= {"finals": 0.0, "p": 0.05}
    data["policies"] |= {"appraise": {"every": 0}, "replace": {"rule": "never"}, "watch": {"rule": "never"}}
    for name, wanted in policies.items():
        data["policies"][name] = {**data["policies"].get(name, {}), **wanted}
    return OrgChart.from_dict(data)


def baseline(name: str = "lr", value: float = 0.25) -> Propose:
    """The project's baseline with another learning rate, which changes nothing here."""
    return Propose(config={"lr": 0.3, "width": 16, "act": "a", name: value})


def events(steps: Sequence[Step], *kinds: type[ev.Event]) -> list[ev.Event]:
    """The events of some kinds, in order."""
    return [event for step in steps for _, event in step.events if isinstance(event, kinds)]
