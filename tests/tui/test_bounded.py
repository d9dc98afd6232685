"""The read model forgets nothing that is shown, and hardly grows: what is old is filed away and read like anything."""

from __future__ import annotations

import pickle
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from company import events as ev
from company.diary import LATEST, MOMENTS, Diary, Mark
from company.entities import Experiment
from company.filed import Filed
from company.snapshot import Recorded, Snapshot
from company.state import State
from tests.tui.kit import chart_of, rehearse
from tests.tui.test_following import read_all
from tui.draw.agent import agent_page
from tui.draw.experiment import Files, experiment_page
from tui.draw.experiments import ORDERS, row
from tui.draw.slots import draw_slots
from tui.draw.timeline import draw_timeline
from tui.filter import parse
from tui.history import History

FILTERS = ("status:failed", "cfg.lr>=1e-3", "-note:a", "sigma>0 | has:verdict", "standing:champion", "at>3", "seed>0")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that replaces, coaches and repeats what looked promising."""
    folder = tmp_path_factory.mktemp("runs") / "long"
    rehearse(folder, chart_of("turnaround", 80), slots=3)
    return folder


@pytest.fixture(scope="module")
def records(run: Path) -> list[Recorded]:
    return [record for delta in read_all(run) for record in delta.records]


def folded(records: list[Recorded]) -> Snapshot:
    shot = Snapshot()
    shot.extend(records)
    return shot


@pytest.fixture
def both(records: list[Recorded], monkeypatch: pytest.MonkeyPatch) -> tuple[Snapshot, Snapshot]:
    """A company with its old experiments whole, and with nearly all of them filed."""
    whole = folded(records)
    monkeypatch.setattr("company.snapshot.WHOLE", 3)
    monkeypatch.setattr("company.snapshot.PAGE", 5)
    filed = folded(records)
    assert not any(isinstance(e, Filed) for e in whole.state.experiments.values())
    assert sum(isinstance(e, Filed) for e in filed.state.experiments.values()) > 60
    return whole, filed


def test_a_filed_experiment_has_every_field_that_it_had(both: tuple[Snapshot, Snapshot]) -> None:
    whole, filed = both
    assert list(whole.state.experiments) == list(filed.state.experiments)
    for name, experiment in whole.state.experiments.items():
        other = filed.state.experiments[name]
        for field in fields(Experiment):
            assert getattr(other, field.name) == getattr(experiment, field.name), (name, field.name)
        assert filed.dossier(name) == whole.dossier(name)
    assert filed.state.experiments == whole.state.experiments


def test_every_screen_shows_the_same_of_it(both: tuple[Snapshot, Snapshot]) -> None:
    whole, filed = both
    for name in whole.state.experiments:
        assert row(filed, name, 100, False) == row(whole, name, 100, False)
        assert experiment_page(filed, name, Files(), 60) == experiment_page(whole, name, Files(), 60)
    for agent in whole.state.agents:
        assert agent_page(filed, agent, 60) == agent_page(whole, agent, 60)
    assert draw_timeline(filed, filed, 90).lines == draw_timeline(whole, whole, 90).lines
    assert draw_slots(filed, {}, 90, 0).lines == draw_slots(whole, {}, 90, 0).lines


def test_all_of_them_are_filtered_and_sorted(both: tuple[Snapshot, Snapshot]) -> None:
    whole, filed = both

    def shown(shot: Snapshot, text: str, order: str) -> list[str]:
        chosen = parse(text)
        assert not chosen.problem
        found = [e for e in shot.state.experiments.values() if chosen.holds(shot.state, e)]
        return [e.id for e in sorted(found, key=lambda e: ORDERS[order](shot, e))]

    for text in FILTERS:
        for order in ORDERS:
            assert shown(filed, text, order) == shown(whole, text, order), text
    assert shown(whole, "standing:champion", "newest") and shown(whole, "-note:a", "newest")


def test_a_replay_of_a_filed_past_is_the_fold_stopped_earlier(
    run: Path, records: list[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("company.snapshot.WHOLE", 3)
    monkeypatch.setattr("company.snapshot.PAGE", 5)
    monkeypatch.setattr("tui.history.STEP", 50)
    history = History(run)
    for seq in (len(records), 600, 250, 601):
        straight, replayed = folded(records[:seq]), history.at(seq)
        assert any(isinstance(e, Filed) for e in replayed.state.experiments.values())
        assert replayed.state.experiments == straight.state.experiments
        assert replayed.state.agents == straight.state.agents
        assert [replayed.dossier(name) for name in straight.state.experiments] == [
            straight.dossier(name) for name in straight.state.experiments
        ]
    history.close()


def test_what_is_written_to_a_filed_experiment_stays(both: tuple[Snapshot, Snapshot]) -> None:
    _, filed = both
    found = next(e for e in filed.state.experiments.values() if isinstance(e, Filed) and e.purpose == "proposal")
    found.replications.append("e9999")
    found.detail = "seen later"
    again = pickle.loads(pickle.dumps(found))
    assert found.replications[-1] == again.replications[-1] == "e9999" and again.detail == "seen later"
    assert again == found and again.config == found.config
    with pytest.raises(AttributeError):
        _ = found.nonsense  # type: ignore[attr-defined]


def test_the_onlooker_stands_where_the_company_stands(records: list[Recorded]) -> None:
    shot, state = folded(records), State()
    for record in records:
        state.apply(record.event, record.at)
    seen = shot.state
    assert seen.experiments == state.experiments and seen.holder == state.holder
    assert list(seen.losses) == state.losses and seen.record == state.record
    assert {a.id: list(a.outcomes) for a in seen.agents.values()} == {a.id: a.outcomes for a in state.agents.values()}
    assert seen.results == [] and not seen.by_hash and not any(seen.seen.values())


def test_judgements_and_plans_without_end_take_no_room(records: list[Recorded]) -> None:
    shot = folded(records)
    last, agent = records[-1], next(iter(shot.appraisals))
    appraised = shot.appraisals[agent][-1][1]

    def more(n: int) -> int:
        for _ in range(n):
            shot.apply(Recorded(shot.seq + 1, last.at, last.wall, appraised))
        shot.story.clear()  # which has a limit of its own, of lines
        return len(pickle.dumps(shot))

    more(2 * MOMENTS)
    assert abs(more(2 * MOMENTS) - more(2 * MOMENTS)) < 20 * MOMENTS


def test_a_diary_keeps_the_last_marks_and_the_shape_of_all() -> None:
    diary = Diary()
    for n in range(3 * MOMENTS):
        kind, tone = ("AgentCoached", "warn") if n % 100 == 50 else ("DirectiveGiven", "")
        diary.add(Mark(n, float(n), 0.0, kind, f"line {n}", tone, ("bob",), None))
    assert [mark.seq for mark in diary.latest] == list(range(3 * MOMENTS - LATEST, 3 * MOMENTS))
    moments = list(diary.moments())
    assert len(moments) <= MOMENTS and [m.at for m in moments] == sorted(m.at for m in moments)
    special = [n for n in range(3 * MOMENTS) if n % 100 == 50]
    assert [m.at for m in moments if m.kind == "AgentCoached"] == special  # what is special stays
    ordinary = [m.at for m in moments if m.kind == "DirectiveGiven"]
    assert len(ordinary) >= MOMENTS // 3 and max(b - a for a, b in pairwise(ordinary)) <= 6  # evenly, over all the time
    assert ordinary[0] <= 6 and not any(m.bad for m in moments)
    last = diary.last("AgentCoached")
    assert last is not None and last.seq == special[-1] and diary.last("AgentReplaced") is None


def test_a_diary_of_nothing_but_special_marks_has_a_limit_too() -> None:
    diary = Diary()
    for n in range(3 * MOMENTS):
        diary.add(Mark(n, float(n), 0.0, "AttemptFailed", "", "bad", (), None))
    moments = list(diary.moments())
    assert len(moments) <= MOMENTS and moments[-1].bad and moments[-1].at == 3 * MOMENTS - 1


def test_an_event_of_every_kind_can_stand_in_a_diary() -> None:
    diary = Diary()
    for n, kind in enumerate(ev.EVENTS):
        diary.add(Mark(n, float(n), 0.0, kind, "", "", (), None))
    assert [moment.kind for moment in diary.moments()] == list(ev.EVENTS)
