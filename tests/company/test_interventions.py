"""People step in: every act is checked, carried out by the core, recorded, and survives a restart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from core_kit import chart_of

from company import events as ev
from company.chart import Talent
from company.engine import Cancel, Commanded, Engine
from company.ledger import Ledger
from company.state import State
from company.testing import Rehearsal, planted_project, planted_trainer
from tests.support import loopworks, start, write_chart, write_project


class Person:
    """Drives a company and steps in where a test says so."""

    def __init__(self, **policies: Any) -> None:
        chart = chart_of("startup", 8, **policies)
        talent = (Talent(role="researcher", count=2),)
        self.engine = Engine(planted_project())
        self.rehearsal = Rehearsal(self.engine, planted_trainer())
        self.events: list[tuple[float, ev.Event]] = []
        self._keep(self.rehearsal.follow(self.engine.found(chart.model_copy(update={"talent": talent}), 0, 2)))

    @property
    def state(self) -> State:
        return self.engine.state

    def _keep(self, step: Any) -> Any:
        self.events += step.events
        return step

    def until(self, ready: Any) -> None:
        while not ready(self.state):
            step = self.rehearsal.advance()
            assert step is not None, "the run closed first"
            self._keep(step)

    def says(self, action: str, **args: Any) -> tuple[Any, ev.CommandAnswered]:
        step = self._keep(self.rehearsal.follow(self.engine.handle(Commanded(1, action, args), self.state.now)))
        answers = [event for _, event in step.events if isinstance(event, ev.CommandAnswered)]
        assert len(answers) == 1
        return step, answers[0]

    def finish(self) -> None:
        while (step := self.rehearsal.advance()) is not None:
            self._keep(step)


def running(state: State) -> str | None:
    return next((e.id for e in state.experiments.values() if e.status == "running" and e.purpose == "proposal"), None)


def test_a_paused_company_starts_nothing_and_goes_on_when_told() -> None:
    person = Person()
    person.until(running)
    person.says("pause")
    before = len(person.state.experiments)
    person.finish()
    assert person.state.phase != "closed"
    assert len(person.state.experiments) <= before + 2  # proposals that were on their way
    assert not person.state.running
    _, answer = person.says("resume")
    assert answer.done
    person.finish()
    assert person.state.phase == "closed"


def test_a_stopped_run_is_cancelled_and_counts_for_nobody() -> None:
    person = Person()
    person.until(running)
    name = running(person.state) or ""
    step, answer = person.says("stop", experiment=name)
    assert answer.done and Cancel(name) in step.effects
    experiment = person.state.experiments[name]
    assert (experiment.status, experiment.failure) == ("stopped", "person")
    assert person.state.agents[experiment.proposer or ""].experiments == 0
    person.finish()
    assert person.state.phase == "closed"


@pytest.mark.parametrize(("action", "status"), [("approve", "ok"), ("refuse", "refused")])
def test_a_person_settles_a_review(action: str, status: str) -> None:
    def waits(state: State) -> str | None:
        return next((e.id for e in state.experiments.values() if e.status == "proposed"), None)

    person = Person(watch={"rule": "never"})
    person.until(waits)
    name = waits(person.state) or ""
    assert person.says(action, experiment=name)[1].done
    person.finish()
    assert person.state.experiments[name].status == status


def test_a_person_replaces_an_agent_and_the_open_questions_go_to_the_successor() -> None:
    person = Person()
    person.until(lambda state: any(p.agent == "bob" and p.task == "propose" for p in state.decisions.values()))
    _, answer = person.says("replace", agent="bob", because="a person's judgement")
    assert answer.done and person.state.holder["bob"] == "bob_2"
    assert not any(p.agent == "bob" for p in person.state.decisions.values())
    person.finish()
    assert person.state.phase == "closed"
    replaced = next(e for _, e in person.events if isinstance(e, ev.AgentReplaced))
    assert replaced.because == "a person's judgement"


@pytest.mark.parametrize(
    ("action", "args", "part"),
    [
        ("resume", {}, "not paused"),
        ("stop", {"experiment": "e9999"}, "no experiment"),
        ("stop", {"experiment": "e0001"}, "it is"),
        ("stop", {}, "no experiment"),
        ("approve", {"experiment": "e0001"}, "does not wait"),
        ("replace", {"agent": "nobody\x1b[31m"}, "nobody called 'nobody[31m'"),
        ("replace", {"agent": "eve"}, "talent pool"),
        ("dance", {}, "no command 'dance'"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(action: str, args: dict[str, Any], part: str) -> None:
    person = Person()
    person.until(running)
    before = dataclasses.asdict(person.state.agents["bob"])
    step, answer = person.says(action, **args)
    assert not answer.done and part in answer.answer
    assert [event.kind for _, event in step.events] == ["CommandAnswered"]
    assert dataclasses.asdict(person.state.agents["bob"]) == before


def test_commands_reach_a_running_company_and_wait_for_one_that_does_not(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", step=0.02)
    write_chart(tmp_path / "chart.yaml", experiments=12)
    process = start("run", "chart.yaml", "--project", "tiny", "--slots", "1", "--out", "out", cwd=tmp_path)
    from tests.test_bad_runs import wait_for_events

    wait_for_events(tmp_path / "out", 30)
    said = loopworks("command", "--json", "out", "pause", cwd=tmp_path)
    assert json.loads(said.stdout)["status"] == "done", said.stderr
    refused = loopworks("command", "out", "pause", cwd=tmp_path)
    assert refused.returncode == 1 and "paused already" in refused.stderr
    process.terminate()
    process.communicate(timeout=60)
    waiting = loopworks("command", "out", "resume", cwd=tmp_path)
    assert waiting.returncode == 0 and "--resume out" in waiting.stderr
    done = loopworks("run", "--resume", "out", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "closed", done.stderr
    state = Ledger(tmp_path / "out" / "ledger.sqlite").fold()
    assert not state.paused
    late = loopworks("command", "out", "pause", cwd=tmp_path)
    assert late.returncode == 2 and "has closed" in late.stderr and not late.stdout


def test_a_command_for_no_run_is_refused(tmp_path: Path) -> None:
    said = loopworks("command", "nowhere", "pause", cwd=tmp_path)
    assert said.returncode == 2 and "no ledger here" in said.stderr
