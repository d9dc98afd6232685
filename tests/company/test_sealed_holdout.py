"""The holdout is opened once, at the end, and that is on record."""

from __future__ import annotations

from core_kit import eventful_chart, moody, rough_project, rough_trainer

from company import events as ev
from company.engine import Engine, Step
from company.testing import Rehearsal


def test_only_closing_runs_are_scored_on_the_holdout_and_it_is_read_once() -> None:
    rehearsal = Rehearsal(Engine(rough_project()), rough_trainer(), moody)
    steps: list[Step] = []
    step: Step | None = rehearsal.follow(rehearsal.engine.found(eventful_chart(), 5, 3))
    while step is not None:
        steps.append(step)
        step = rehearsal.advance()
    events = [event for step in steps for _, event in step.events]
    opened = [n for n, event in enumerate(events) if isinstance(event, ev.HoldoutMeasured)]
    ended = next(n for n, event in enumerate(events) if isinstance(event, ev.ResearchEnded))
    begun = [n for n, e in enumerate(events) if isinstance(e, ev.ExperimentCreated) and e.split == "holdout"]
    assert len(opened) == 1 and ended < min(begun) and max(begun) < opened[0]
    assert {e.purpose for e in rehearsal.engine.state.experiments.values() if e.split == "holdout"} == {"closing"}
    assert not any(isinstance(event, ev.ExperimentCreated) for event in events[opened[0] :])
