"""Each trigger fires on its planted cause and is silent without one; what did not pay is undone and not tried again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from structure_kit import lab, planted

from company.chart import OrgChart
from company.company_view import CompanyView, Past, Trial, team_worth, view_of
from company.edits import ClosePosition, MergeTeams, Move, SplitTeam, edits_from
from company.overlap import overlap
from company.payoff import Prediction, check, effect
from company.policies import ReorganisePolicy
from company.reorganisation import Proposal, closing, free_name, possible, propose, touched
from company.revision import revise
from company.triggers import dominated_teams, overlapping_teams, stagnation, wide_spans

POLICY = ReorganisePolicy(rule="evidence", max_span=7, undo_after=12)
TWO = lab({"ada": ["bob", "cleo", "dan"], "nora": ["finn", "gus", "hal"]})
THREE = lab({"ada": ["bob", "cleo"], "nora": ["finn", "gus"], "omar": ["kim", "leo"]})
WIDE = lab({"vera": [f"r{i}" for i in "abcdefghi"]})
CHANGES = (2, 5, 9, 20)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def answer(view: CompanyView, policy: ReorganisePolicy = POLICY, seed: int = 0) -> Proposal:
    found = propose(view, policy, rng(seed))
    assert found is not None
    revise(view.chart, found.edits)
    assert json.loads(json.dumps(dict(found.evidence), allow_nan=False)) == found.evidence
    assert Prediction(**json.loads(json.dumps(found.prediction.to_dict()))) == found.prediction
    assert found.prediction.low <= found.prediction.after <= found.prediction.high
    assert found.because and "\n" not in found.because and found.check_after == policy.undo_after
    return found


def test_a_span_too_wide_is_split_in_halves_of_like_worth() -> None:
    truth = {f"r{name}": 0.3 * n for n, name in enumerate("abcdefghi")}
    view = planted(WIDE, rng(), n=90, truth=truth)
    found = answer(view)
    edit = found.edits[0]
    assert isinstance(edit, SplitTeam) and edit.manager == "vera" and edit.into not in WIDE.structure.manager
    after = revise(WIDE, found.edits).after
    assert max(len(after.reports(m)) for m in after.by_role("manager")) <= 7
    worth = [team_worth(after.reports(m), view.worth) for m in ("vera", edit.into)]
    assert worth[0] and worth[1] and abs(worth[0].mean - worth[1].mean) < 0.8
    assert found.prediction.after < found.prediction.before == found.evidence["load"]


def test_a_span_within_the_limit_or_of_a_manager_who_never_judged_is_left_alone() -> None:
    assert wide_spans(planted(WIDE, rng()), max_span=9) == []
    assert wide_spans(replace(planted(WIDE, rng()), meetings={}), max_span=7) == []


def test_two_teams_in_the_same_place_are_merged() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), centres={"ada": place, "nora": place})
    found = answer(view)
    assert isinstance(found.edits[0], MergeTeams) and found.subject == "overlap:ada,nora"
    assert found.evidence["share"] > 0.4 and found.evidence["distance"] < found.evidence["chance"]
    assert possible(view, found.edits)


def test_two_teams_each_in_its_own_place_do_not_overlap_however_narrow_they_search() -> None:
    centres = {"ada": np.full(4, 0.2), "nora": np.full(4, 0.6)}
    assert not any(overlapping_teams(planted(TWO, rng(seed), centres=centres), rng(seed)) for seed in range(20))


def test_teams_too_large_for_one_manager_are_not_merged() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), centres={"ada": place, "nora": place})
    assert propose(view, replace_policy(max_span=5), rng()) is None


def replace_policy(**update: object) -> ReorganisePolicy:
    return POLICY.model_copy(update=update)


def test_an_overlap_in_parameters_of_choice_is_seen_and_chance_is_not() -> None:
    def pair(seed: int, same: bool) -> float:
        draw = rng(seed)
        a = np.column_stack([draw.random(20), draw.choice([0.125, 0.375, 0.625, 0.875], 20)])
        b = np.column_stack([draw.random(20), draw.choice([0.125, 0.375, 0.625, 0.875], 20)])
        if same:
            b = np.column_stack([(a[:, 0] + 0.01) % 1.0, a[:, 1]])
        return overlap(a.tolist(), b.tolist(), draw).p

    assert all(pair(seed, same=True) < 0.02 for seed in range(10))
    assert np.mean([pair(seed, same=False) < 0.05 for seed in range(200)]) <= 0.1


def test_a_dominated_team_is_closed_and_its_good_people_move() -> None:
    truth: dict[str, float] = {"finn": -1.2, "gus": -1.2, "hal": -1.2, "bob": 0.3, "cleo": 0.3, "dan": 0.3}
    found = answer(planted(TWO, rng(2), n=90, truth=truth))
    assert found.subject == "dominated:nora" and ClosePosition(position="nora") in found.edits
    after = revise(TWO, found.edits).after
    assert set(after.by_role("researcher")) == {"bob", "cleo", "dan"}
    assert (
        found.prediction.after == pytest.approx(found.evidence["share"] * found.evidence["gap"])
        and found.prediction.low > 0
    )
    star = planted(TWO, rng(3), n=120, truth=truth | {"hal": 1.5})
    assert Move(position="hal", to="ada") in closing(star, "nora")


def test_the_team_of_the_root_and_the_only_team_are_never_closed() -> None:
    assert closing(planted(WIDE, rng()), "vera") == ()
    both = lab({"vera": ["bob"], "nora": ["finn"]})
    assert closing(planted(both, rng()), "vera") == ()


def test_a_long_wait_after_steady_finds_is_stagnation_and_splits_the_largest_team() -> None:
    chart = lab({"ada": ["bob", "cleo", "dan", "eli"], "nora": ["finn", "gus"]})
    view = planted(chart, rng(4), n=400, champions=(2, 4, 6, 9, 12, 16, 20))
    assert stagnation(view) is not None
    found = answer(view)
    assert found.subject == "stagnation" and isinstance(found.edits[0], SplitTeam) and found.edits[0].manager == "ada"
    assert found.prediction.unit == "champion changes per 10 experiments" and found.prediction.after > 0
    seen_by_all = planted(
        chart.model_copy(update={"communication": "complete"}), rng(4), n=400, champions=view.champions
    )
    assert isinstance(answer(seen_by_all).edits[0], Move)


def test_a_wait_that_is_usual_by_then_is_no_stagnation() -> None:
    assert stagnation(planted(TWO, rng(), n=40, champions=CHANGES)) is None
    assert stagnation(planted(TWO, rng(), n=400, champions=(3,))) is None
    assert stagnation(planted(TWO, rng(), n=400)) is None


def records(n: int, seed: int) -> tuple[int, ...]:
    """When equal draws set a record."""
    draws = rng(seed).random(n)
    return tuple(int(i) + 1 for i in range(n) if draws[i] == draws[: i + 1].min())


def test_false_alarms_are_as_rare_as_stated() -> None:
    """One look at a company where nothing is wrong: equal researchers who search everywhere, finds like equal draws."""
    looks, alarms = 200, {"overlap": 0, "dominated": 0, "stagnation": 0}
    for seed in range(looks):
        view = planted(THREE, rng(seed), n=90, champions=records(90, seed))
        alarms["overlap"] += bool(overlapping_teams(view, rng(seed)))
        alarms["dominated"] += bool(dominated_teams(view))
        alarms["stagnation"] += stagnation(view) is not None
        assert wide_spans(view, 7) == []
    assert all(count <= 0.045 * looks for count in alarms.values()), alarms  # .0167 and 3 standard errors
    assert sum(alarms.values()) <= 0.08 * looks, alarms  # .05 and 2 standard errors


def test_the_planted_causes_are_found_most_of_the_time() -> None:
    place, truth = np.full(4, 0.4), dict[str, float](finn=-1.0, gus=-1.0, hal=-1.0)
    found = [
        (
            bool(overlapping_teams(planted(TWO, rng(s), centres={"ada": place, "nora": place}), rng(s))),
            bool(dominated_teams(planted(TWO, rng(s), n=72, truth=truth))),
        )
        for s in range(40)
    ]
    assert np.mean([one for one, _ in found]) > 0.9 and np.mean([two for _, two in found]) > 0.8


def after(view: CompanyView, shift: float, n: int, seed: int = 9, champions: Sequence[int] = ()) -> CompanyView:
    """The view `n` experiments later, when every proposal is worth `shift` more."""
    truth = dict.fromkeys(view.chart.by_role("researcher"), shift)
    more = planted(view.chart, rng(seed), n=n, truth=truth).trials
    trials = (*view.trials, *(Trial(view.order + t.order, t.position, t.unit, t.loss) for t in more))
    return replace(view, trials=trials, order=view.order + n, champions=(*view.champions, *champions))


WORTH = Prediction("worth per proposal", 0.0, 0.5, 0.1, 0.9)


def test_a_change_is_judged_only_after_the_experiments_it_was_given() -> None:
    view = planted(TWO, rng(5))
    assert check(WORTH, view.order, 12, {}, after(view, 1.0, 11)).verdict == "too early"
    young = planted(TWO, rng(5), n=3)
    hopeless = check(WORTH, 3, 12, {}, after(young, 1.0, 12))  # nothing came before that it could be compared with
    assert hopeless.verdict == "did not pay" and hopeless.measured is None


def test_what_paid_is_kept_and_what_did_harm_is_undone() -> None:
    def verdicts(shift: float) -> list[str]:
        views = [planted(TWO, rng(seed)) for seed in range(60)]
        return [check(WORTH, v.order, 12, {}, after(v, shift, 12, seed)).verdict for seed, v in enumerate(views, 500)]

    kept = {shift: verdicts(shift).count("paid") / 60 for shift in (-1.5, 0.0, 1.5)}
    assert kept[1.5] > 0.85 and kept[-1.5] < 0.15
    assert 0.3 < kept[0.0] < 0.7  # nothing finer can be told from 12 experiments


def test_the_interval_of_the_measured_effect_holds() -> None:
    covered = 0
    for seed in range(150):
        view = planted(TWO, rng(seed))
        found = effect(after(view, 0.5, 24, seed + 1000).trials, view.order, 24, 1.0, 0.0)
        assert found is not None
        covered += abs(found.mean - 0.5) < 1.645 * found.sd
    assert covered >= 0.84 * 150


def test_a_company_that_was_getting_better_anyway_is_credited_with_less() -> None:
    """Every dozen is one better than the last: what the drift explains is not put down to the change."""
    fair = []
    for seed in range(40):
        view = planted(TWO, rng(seed), n=12)
        for step in range(1, 5):
            view = after(view, float(step), 12, seed=100 * seed + step)
        found = effect(after(view, 5.0, 12, 7000 + seed).trials, view.order, 12, 1.0, 0.0)
        assert found is not None
        fair.append(found.mean)
    assert np.mean(fair) < 0.75


def test_a_split_for_stagnation_pays_when_a_champion_follows() -> None:
    prediction = Prediction("champion changes per 10 experiments", 0.0, 0.2, 0.0, 0.4)
    view = planted(TWO, rng(7))
    assert check(prediction, 60, 12, {}, after(view, 0.0, 12)).verdict == "did not pay"
    assert check(prediction, 60, 12, {}, after(view, 0.0, 12, champions=(64,))).verdict == "paid"


def test_a_split_for_span_pays_when_the_load_falls_and_research_does_not_suffer() -> None:
    view = planted(WIDE, rng(8))
    found = answer(view)
    chart = revise(WIDE, found.edits).after
    later = replace(after(view, 0.0, 24), chart=chart, meetings={"vera": view.meetings["vera"] + 4})
    good = check(found.prediction, view.order, 12, found.evidence, later)
    assert good.verdict == "paid" and good.measured is not None and good.measured < found.prediction.before
    harmed = replace(after(view, -3.0, 24), chart=chart, meetings=later.meetings)
    assert check(found.prediction, view.order, 12, found.evidence, harmed).verdict == "did not pay"


def remembered(found: Proposal, at: int, outcome: str) -> Past:
    return Past(1, found.subject, touched(found.edits), at, outcome)  # type: ignore[arg-type]


def test_nothing_is_proposed_while_a_change_is_on_trial() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), centres={"ada": place, "nora": place})
    assert propose(replace(view, history=[Past(1, "x", frozenset(), 50, "pending")]), POLICY, rng()) is None


def test_what_was_undone_is_not_proposed_again_for_four_times_its_trial() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), n=80, centres={"ada": place, "nora": place})
    found = answer(view)
    for age, again in ((5, False), (12, False), (47, False), (48, True), (60, True)):
        past = remembered(found, view.order - age, "did not pay")
        assert (propose(replace(view, history=[past]), POLICY, rng()) is not None) == again, age


def test_what_paid_is_not_turned_back_at_once() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), n=80, centres={"ada": place, "nora": place})
    split = Past(1, "stagnation", frozenset(("ada", "nora")), view.order - 13, "paid")
    assert propose(replace(view, history=[split]), POLICY, rng()) is None
    assert propose(replace(view, history=[replace(split, at=view.order - 30)]), POLICY, rng()) is not None


def test_controls_never_random_and_bottom() -> None:
    truth: dict[str, float] = {"kim": -0.4, "leo": -0.4}
    view = planted(THREE, rng(9), n=90, truth=truth)
    assert propose(view, POLICY, rng(), rule="never") is None
    kinds = set()
    for seed in range(60):
        found = propose(view, POLICY, rng(seed), rule="random")
        assert found is not None and possible(view, found.edits)
        assert found == propose(view, POLICY, rng(seed), rule="random")
        kinds.add(found.edits[0].kind())
    assert kinds >= {"Move", "SplitTeam", "MergeTeams", "Demote", "ClosePosition"}
    worst = propose(view, POLICY, rng(), rule="bottom")
    assert worst is not None and worst.subject == "bottom:omar" and possible(view, worst.edits)
    alone: OrgChart = lab({"vera": ["bob", "cleo"]})
    assert propose(planted(alone, rng()), POLICY, rng(), rule="bottom") is None


def test_the_same_evidence_gives_the_same_proposal() -> None:
    place = np.full(4, 0.3)
    view = planted(TWO, rng(1), centres={"ada": place, "nora": place})
    assert answer(view, seed=3) == answer(view, seed=3)
    found = answer(view)
    assert edits_from([edit.to_dict() for edit in found.edits]) == found.edits


def test_a_new_position_takes_a_name_that_nobody_has_or_had() -> None:
    assert free_name(TWO) == "fay"  # gus is taken in this chart
    assert free_name(TWO, ["fay", "lea"]) == "max"


def test_a_view_is_filled_from_a_company_at_work() -> None:
    from company.chart_yaml import load_chart
    from company.testing import drive, planted_project, planted_trainer

    state = drive(planted_project(), load_chart("lab"), planted_trainer(), slots=2).state
    view = view_of(state, {})
    assert view.order == state.proposals_finished == len(view.trials) and set(view.teams()) == {"ada", "nora", "omar"}
    assert list(view.champions) == sorted(view.champions) and view.unit > 0
    assert all(view.load(manager) > 0 for manager in view.managers)
    assert overlapping_teams(view, rng()) is not None and dominated_teams(view) == []
