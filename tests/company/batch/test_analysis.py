"""A whole analysis: arms, contrasts, curves, the sentence and the notes."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from batch_kit import ARMS, batch, row

from company.batch.contrasts import paired
from company.batch.power import need
from company.batch.profiles import profile, profile_grid, progress, progress_grid
from company.batch.rows import Arm, Row, RowsError, by_arm
from company.batch.statistics import analyse

SOLO, STARTUP, NEVER = Arm("solo"), Arm("startup"), Arm("startup", "replace.rule=never")
CONTROLS = {SOLO, NEVER}


def test_a_clear_winner_is_named_with_its_interval() -> None:
    found = analyse(batch(), CONTROLS, SOLO)
    assert found.verdict.kind == "better" and found.verdict.arm == STARTUP
    assert found.verdict.sentence.startswith("startup ends with")
    assert "less regret than solo (95 % interval" in found.verdict.sentence
    first = found.contrasts[0].paired
    assert first is not None and first.ratio is not None and 0.55 < first.ratio < 0.65
    assert first.narrowed is not None and first.narrowed > 2
    assert [each.arm for each in found.summaries] == [STARTUP, NEVER, SOLO]


def test_a_clear_loser_is_named_too() -> None:
    found = analyse(batch(arms={("startup", ""): 1.6, ("solo", ""): 1.0}), {SOLO})
    assert found.verdict.kind == "worse" and "more regret than solo" in found.verdict.sentence


def test_the_order_of_rows_changes_nothing() -> None:
    rows = batch(6, 2)
    shuffled = random.Random(0).sample(rows, len(rows))
    one, other = (json.dumps(analyse(given, CONTROLS).to_dict(), allow_nan=False) for given in (rows, shuffled))
    assert one == other
    assert one != json.dumps(analyse(rows, CONTROLS, seed=1).to_dict())


def test_the_best_control_is_the_reference_where_none_is_named() -> None:
    assert analyse(batch(4), CONTROLS, curves=False).reference == NEVER
    assert analyse(batch(4), curves=False).reference == NEVER
    assert analyse(batch(4), curves=False, reference=STARTUP).verdict.arm == NEVER


def test_the_same_company_twice_makes_no_difference() -> None:
    rows = batch(5, 2, {("startup", ""): 1.0})
    found = analyse([*rows, *(replace(each, chart="solo") for each in rows)], {SOLO})
    assert found.verdict.kind == "same" and "all 10 worlds" in found.verdict.sentence


def test_where_the_best_arm_is_its_own_control_the_next_is_judged_too() -> None:
    rows = batch(20, 1, {("flat", ""): 1.0, ("turnaround", ""): 1.5}, noise=0.05)
    same = [replace(each, settings="replace.rule=never") for each in rows if each.chart == "flat"]
    sentence = analyse([*rows, *same], {same[0].arm}, curves=False).verdict.sentence
    assert "flat, the best of 2 arms, makes no difference" in sentence
    assert (
        "As for the next, turnaround ends with" in sentence and "more regret than flat replace.rule=never" in sentence
    )


def test_arms_that_differ_in_name_only_are_named() -> None:
    rows = batch(5, 2)
    same = [replace(each, chart=f"twin_{n}") for n in range(7) for each in rows if each.chart == "solo"]
    notes = analyse([*rows, *same], CONTROLS, curves=False).notes
    (found,) = [note for note in notes if note.startswith("The same regret in every world have: solo; twin_0; twin_1")]
    assert found.endswith("; and 2 more.") and "startup" not in found


def test_a_reference_that_was_chosen_among_controls_is_said_to_be() -> None:
    chosen = "The reference is the best of 2 controls"
    assert any(note.startswith(chosen) for note in analyse(batch(4), CONTROLS, curves=False).notes)
    assert not any(note.startswith(chosen) for note in analyse(batch(4), {SOLO}, curves=False).notes)
    failed = [row(chart, "p", 0, None, settings) for chart, settings in ARMS]
    assert not any(note.startswith("The reference is") for note in analyse(failed, CONTROLS).notes)
    assert not any(note.startswith(chosen) for note in analyse(batch(4), CONTROLS, NEVER, curves=False).notes)


def test_what_is_not_decided_says_how_many_more_seeds_would_do() -> None:
    arms = {("startup", ""): 0.93, ("solo", ""): 1.0}
    found = analyse(batch(12, 1, arms, noise=0.35), {SOLO}, curves=False)
    assert found.verdict.kind == "none"
    assert found.verdict.sentence.startswith("Nothing can be concluded: the regret of startup may be up to")
    assert "more seeds would do if the true difference is the measured" in found.verdict.sentence


def test_nothing_is_called_better_more_than_one_time_in_twenty_where_nothing_differs() -> None:
    """100 batches of four equal arms against a control."""
    arms = {(name, ""): 1.0 for name in ("solo", "a", "b", "c", "d")}
    kinds = [analyse(batch(8, 2, arms, root=n), {SOLO}, curves=False).verdict.kind for n in range(100)]
    assert sum(kind != "none" for kind in kinds) <= 8


def test_seeds_that_would_do_give_the_power_they_promise() -> None:
    """From a pilot of 4,000 worlds: as many as it says find a true difference four times in five."""
    rng = np.random.default_rng(0)
    pilot = rng.normal(0.02, 0.1, 4000)
    wanted = need(paired(pilot, np.zeros(4000), [4000], statistic="mean"), 1)
    assert wanted is not None
    assert wanted.worlds == pytest.approx(((1.96 + 0.8416) * 0.1 / 0.02) ** 2, rel=0.15)
    trials = rng.normal(0.02, 0.1, (2000, wanted.worlds))
    t = trials.mean(axis=1) / trials.std(axis=1, ddof=1) * math.sqrt(wanted.worlds)
    assert (np.abs(t) > 1.96).mean() == pytest.approx(0.8, abs=0.08)


def test_more_seeds_are_called_absurd_where_the_difference_is_next_to_nothing() -> None:
    x = np.random.default_rng(1).normal(0, 0.1, 20)
    found = paired(x - x.mean() + 1e-5, np.zeros(20), [20], statistic="mean")
    wanted = need(found, 1)
    assert wanted is not None and wanted.absurd
    assert need(paired(x, x, [20]), 1) is None


def test_one_seed_has_no_interval_and_says_so() -> None:
    found = analyse(batch(1, 3), CONTROLS)
    assert found.summaries[0].interval == (None, None)
    assert found.verdict.kind == "none" and "no interval" in found.verdict.sentence
    assert any("one seed has no interval" in note for note in found.notes)
    assert all(curve.low is None for curve in found.curves)


def test_a_single_arm_is_compared_with_nothing() -> None:
    found = analyse(batch(3, 1, {("solo", ""): 1.0}))
    assert "only arm" in found.verdict.sentence and not found.contrasts


def test_failures_are_counted_by_stage_and_reason_and_left_out_of_pairs() -> None:
    rows = [row("solo", "p0", n, None if n < 2 else 0.5 + n / 100) for n in range(8)]
    rows += [row("startup", "p0", n, math.nan if n == 2 else math.inf if n == 3 else 0.4 + n / 100) for n in range(9)]
    found = analyse(rows, {SOLO})
    assert [(each.stage, each.count) for each in found.failures] == [("engine", 2), ("outcome", 1), ("outcome", 1)]
    assert {each.reason for each in found.failures if each.stage == "outcome"} == {
        "the regret is nan", "the regret is inf",
    }  # fmt: skip
    (only,) = found.contrasts
    assert only.paired is not None and only.paired.worlds == 4 and only.left_out == 5
    assert any(note.startswith("4 of 17 runs failed") for note in found.notes)


def test_an_arm_that_only_failed_is_still_in_the_tables() -> None:
    rows = [*batch(4, 1, {("solo", ""): 1.0}), *(row("startup", "p0", n, None) for n in range(4))]
    found = analyse(rows, {SOLO})
    assert found.summaries[-1].arm == STARTUP and found.summaries[-1].estimate is None
    assert "no world was met by both startup and solo" in found.verdict.sentence
    json.dumps(found.to_dict(), allow_nan=False)


def test_rows_that_cannot_be_compared_are_refused_in_one_line() -> None:
    twice = row("solo", "p0", 3, 0.1)
    with pytest.raises(RowsError, match="solo has two rows for seed 3 of p0"):
        analyse([twice, twice])
    with pytest.raises(RowsError, match="no rows"):
        analyse([])
    with pytest.raises(RowsError, match="no row is of the reference lab"):
        analyse([twice], reference=Arm("lab"))


def test_missing_metrics_are_means_of_those_that_have_them() -> None:
    rows = [row("solo", "p0", 0, 0.2, replacements=math.nan), row("solo", "p0", 1, 0.4, replacements=3.0)]
    (summary,) = analyse(rows).summaries
    assert summary.means["replacements"] == 3.0 and "mean_of_agents" not in summary.means


def test_a_profile_is_the_share_of_worlds_that_got_there() -> None:
    arms = by_arm([row("solo", "p0", n, value) for n, value in enumerate((0.0, 0.1, 0.4, 0.4))])
    grid = profile_grid(arms)
    assert (grid[0], grid[-1]) == (0.0, 0.4)
    found = profile(SOLO, arms[SOLO], np.array([0.0, 0.2, 0.4]))
    assert found.y == pytest.approx([0.25, 0.5, 1.0])
    assert found.low is not None and found.high is not None
    assert (found.low <= found.y).all() and (found.y <= found.high).all()


def test_best_so_far_holds_its_steps_and_goes_on_after_the_end() -> None:
    trails = (((0.0, 1.0), (10.0, 0.4)), ((5.0, 0.8), (20.0, 0.2)))
    rows = [replace(row("solo", "p0", n, 0.3), trail=trail) for n, trail in enumerate(trails)]
    arms = by_arm(rows)
    found = progress(SOLO, arms[SOLO], np.array([0.0, 9.9, 10.0, 20.0, 100.0]), statistic="mean")
    assert found is not None and found.y == pytest.approx([0.9, 0.9, 0.6, 0.3, 0.3])
    assert progress_grid(arms)[-1] == 100.0
    assert progress(SOLO, arms[SOLO], np.array([0.0]), "mean_of_agents") is None


def test_nothing_is_best_found_before_something_was_tried() -> None:
    trails = ({"best_found": ((5.0, 0.8), (20.0, 0.2))}, {"best_found": ((10.0, 0.4),)})
    arms = by_arm([replace(row("solo", "p0", n, 0.3), trails=each) for n, each in enumerate(trails)])
    found = progress(SOLO, arms[SOLO], np.array([0.0, 5.0, 10.0, 20.0]), "best_found", statistic="mean")
    assert found is not None and found.x.tolist() == [10.0, 20.0] and found.y == pytest.approx([0.6, 0.3])
    assert progress(SOLO, arms[SOLO], np.array([0.0, 5.0]), "best_found") is None


def test_a_step_that_is_not_finite_is_no_step() -> None:
    trail = ((0.0, math.inf), (10.0, 0.4), (math.nan, 0.1))
    arms = by_arm([replace(row("solo", "p0", 0, 0.3), trail=trail)])
    found = progress(SOLO, arms[SOLO], progress_grid(arms))
    assert found is not None and set(found.y) == {0.4}


def test_curves_are_of_the_profile_and_of_every_trail_that_was_kept() -> None:
    found = analyse(batch(3, 1), CONTROLS)
    assert [(c.of, c.arm) for c in found.curves] == [
        (of, arm) for of in ("profile", "champion", "best_found") for arm in sorted(Arm(*each) for each in ARMS)
    ]


def test_a_row_without_a_metric_has_no_regret() -> None:
    assert Row("a", "p", "", 0, "", "ok", {}).regret is None
