"""Patches in a company: from the text to the champion, with everything that can go wrong between."""

from __future__ import annotations

import pytest
from patching_kit import CODE, Company, baseline, events, gain, replace, small_chart, toy_project

from company import events as ev
from company.patching.blocks import apply
from company.patching.versions import content_hash
from roles.intents import GiveUp, Note, Patch, Verdict

LOOP = CODE[CODE.index("    total") : CODE.index("\n\n\ndef load")]
BETTER = gain(0.0, 0.5, predicted=2.5)


def test_a_better_patch_becomes_champion_and_what_follows_builds_on_it() -> None:
    company = Company(small_chart(8), {("bob", "propose"): [BETTER, ("GAIN = 0.5", gain(0.5, 0.9))]})
    steps = company.run()
    state = company.engine.state
    first, second = (state.experiments[reign] for _, reign in state.reigns)
    assert [state.codes[e.code].event.parent for e in (first, second)] == ["", first.code]
    assert state.codes[second.code].event.files == {"train.py": CODE.replace("GAIN = 0.0", "GAIN = 0.9")}
    assert state.champion is not None and state.champion.code == second.code
    assert first.predicted == 2.5 and first.reason == "an idea"
    assert {state.experiments[r].code for r in second.replications} == {second.code}
    closing = [e for e in state.experiments.values() if e.purpose == "closing"]
    assert {e.code for e in closing} == {"", second.code}
    assert state.champion_hash == second.hash == content_hash(second.config, second.code)
    after = [e for e in state.experiments.values() if e.purpose == "proposal" and e.created_at > state.reigns[-1][0]]
    assert after and all(e.code == second.code for e in after), "configs are tried on the champion's code"
    assert len(events(steps, ev.CodeWritten)) == 2
    assert state.holdout is not None and state.holdout.gain is not None and state.holdout.gain > 0.8


def test_a_patch_may_change_parameters_along() -> None:
    company = Company(small_chart(4), {("bob", "propose"): [gain(0.0, 0.5, config={"lr": 0.2})]})
    company.run()
    state = company.engine.state
    first = state.experiments[state.reigns[0][1]]
    assert first.config == {**toy_project().baseline, "lr": 0.2}


CHEATS = {
    "does not apply": replace("GAIN = 7.0", "GAIN = 8.0"),
    "is no patch": Patch(patch="make it better"),
    "does not parse": gain(0.0, 0.5).model_copy(update={"patch": replace("GAIN = 0.0", "GAIN = (").patch}),
    "starts a process": replace("import math", "import math\nimport subprocess"),
    "reads the sealed data": replace("    total = 0.0", "    total = float(open('../data/sealed/labels').read())"),
    "removes what is measured": replace("def predict(model, inputs):", "def guess(model, inputs):"),
    "edits the evaluator": Patch(patch="evaluate.py\n" + replace("metric = 1", "metric = 0").patch),
    "names a parameter that is not": gain(0.0, 0.5, config={"lrr": 0.2}),
    "is out of bounds": gain(0.0, 0.5, config={"lr": 1e9}),
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_patch_that_cannot_be_run_costs_no_slot_and_its_author_is_told(name: str) -> None:
    company = Company(small_chart(3), {("bob", "propose"): [CHEATS[name], BETTER]})
    steps = company.run()
    dropped = events(steps, ev.ProposalDropped)[0]
    assert isinstance(dropped, ev.ProposalDropped) and dropped.detail and "\n" not in dropped.detail
    turns = [seen for seen in company.seen if seen.agent == "bob" and seen.task == "propose"]
    assert turns[0].notes == () and f"not run: {dropped.detail}" in turns[1].notes
    assert not any(note.startswith("not run") for note in turns[2].notes), "told once"
    assert len(company.engine.state.codes) == 1


def test_the_same_code_in_other_words_is_a_duplicate() -> None:
    again = replace(LOOP, "    s = 0.0\n    for v in x:\n        s = s + v\n    return math.sqrt(s)")
    both = Patch(patch=gain(0.0, -0.5).patch + "\n" + again.patch)
    company = Company(small_chart(4), {("bob", "propose"): [again, gain(0.0, -0.5), both]})
    steps = company.run()
    first, second = events(steps, ev.ProposalDropped)[:2]
    assert first.why == second.why == "duplicate"  # type: ignore[attr-defined]
    assert first.detail == "same code and config as e0001"  # type: ignore[attr-defined]


def test_the_reviewer_reads_the_change_and_the_researcher_the_code() -> None:
    company = Company(small_chart(6), {("bob", "propose"): [BETTER]})
    company.run()
    review = next(seen for seen in company.seen if seen.task == "review")
    assert review.subject is not None and "-GAIN = 0.0\n+GAIN = 0.5" in review.subject.diff
    first, *_, later = [seen for seen in company.seen if seen.task == "propose"]
    assert first.code == {"train.py": CODE} and "at most 1000 lines" in first.code_rules
    assert later.code == {"train.py": CODE.replace("GAIN = 0.0", "GAIN = 0.5")}
    assert not any(seen.code for seen in company.seen if seen.task in ("review", "verdict", "plan", "build"))


BROKEN = replace("    total = 0.0", "    total = boom")
MENDED = replace("    total = boom", "    total = 1.0\n    total -= 1")


def test_a_crashed_patch_goes_back_to_the_engineer_who_mends_it() -> None:
    company = Company(small_chart(3), {("bob", "propose"): [BROKEN], ("dan", "repair"): [MENDED]})
    steps = company.run()
    asked = next(seen for seen in company.seen if seen.task == "repair")
    assert asked.subject is not None and asked.subject.log_tail.endswith("NameError: name 'boom' is not defined")
    assert asked.subject.diff and "boom" in asked.code["train.py"]
    (patched,) = events(steps, ev.ExperimentPatched)
    assert isinstance(patched, ev.ExperimentPatched) and patched.engineer == "dan"
    experiment = company.engine.state.experiments[patched.experiment]
    assert experiment.status == "ok" and experiment.attempt == 2 and experiment.code == patched.code
    assert experiment.hash == patched.hash == content_hash(experiment.config, experiment.code)
    broken, mended = (event.code for event in events(steps, ev.CodeWritten)[:2])  # type: ignore[attr-defined]
    assert company.engine.state.codes[mended].event.parent == broken


@pytest.mark.parametrize("patches", [0, 1, 3])
def test_repairs_are_bounded_whether_they_run_or_not(patches: int) -> None:
    useless = [
        replace("no such line", "x"),
        *(replace("    return inputs", f"    return inputs  # {n}") for n in range(9)),
    ]
    script = {("bob", "propose"): [BROKEN], ("dan", "repair"): useless}
    company = Company(small_chart(3, repair={"patches": patches}), script)
    steps = company.run()
    tried = events(steps, ev.ExperimentPatched, ev.RepairRefused)
    assert len(tried) == patches
    broken = next(e for e in company.engine.state.experiments.values() if e.purpose == "proposal")
    assert broken.status == "failed" and broken.failure == "crash" and broken.repairs == patches
    assert company.engine.state.holdout is not None


def test_a_refused_repair_is_explained_to_the_engineer() -> None:
    script = {("bob", "propose"): [BROKEN], ("dan", "repair"): [replace("nowhere", "x"), GiveUp(failure="crash")]}
    company = Company(small_chart(3), script)
    company.run()
    asked = [seen for seen in company.seen if seen.task == "repair"]
    assert "not run: block 1: its lines are not in train.py" in asked[1].notes[0]


LESS = replace(LOOP, "    return math.sqrt(sum(x))")


@pytest.mark.parametrize(("asked", "seeds"), [(1, 3), (4, 4)])
def test_at_an_equal_metric_less_code_wins_on_three_fresh_seeds_or_as_many_as_the_chart_asks_for(
    asked: int, seeds: int
) -> None:
    company = Company(small_chart(8, accept={"fresh_seeds": asked}), {("bob", "propose"): [LESS]})
    steps = company.run()
    chosen = events(steps, ev.ChampionChosen)
    assert len(chosen) == 1
    champion = chosen[0]
    assert isinstance(champion, ev.ChampionChosen) and champion.n == seeds
    assert champion.because.startswith("less code, 11 lines for 14, at a gain of")


def test_where_the_chart_says_so_less_code_alone_wins_nothing() -> None:
    company = Company(small_chart(8, accept={"simpler": False}), {("bob", "propose"): [LESS]})
    assert not events(company.run(), ev.ChampionChosen)


def test_less_code_that_is_worse_wins_nothing() -> None:
    worse = Patch(patch=LESS.patch + "\n" + gain(0.0, -0.2).patch)
    company = Company(small_chart(8), {("bob", "propose"): [worse]})
    assert not events(company.run(), ev.ChampionChosen)


def test_less_code_that_a_reviewer_takes_for_equal_is_still_held_against_the_noise() -> None:
    worse = Patch(patch=LESS.patch + "\n" + gain(0.0, -0.08).patch)  # by four sigmas
    kind = Verdict(outcome="noise", p_real=0.5)
    steps = Company(small_chart(8), {("bob", "propose"): [worse], ("eve", "verdict"): [kind]}).run()
    assert not events(steps, ev.ChampionChosen)
    first = next(e for e in events(steps, ev.ExperimentCreated) if e.proposer == "bob")  # type: ignore[attr-defined]
    assert not [e for e in events(steps, ev.ExperimentCreated) if e.parent == first.experiment]  # type: ignore[attr-defined]


def test_a_project_without_code_takes_no_patches() -> None:
    from company.testing import planted_project

    company = Company(small_chart(3), {("bob", "propose"): [BETTER]}, project=planted_project())
    company._train = lambda run: None  # type: ignore[method-assign]
    steps = company.run()
    dropped = events(steps, ev.ProposalDropped)[0]
    assert "has no training code to change" in dropped.detail  # type: ignore[attr-defined]


def test_a_note_is_kept_and_read_by_colleagues() -> None:
    note = Note(text="warm-up longer than 0.2 never helped")
    company = Company(small_chart(3), {("eve", "verdict"): [note], ("bob", "propose"): [baseline(), BETTER]})
    steps = company.run()
    assert [event.text for event in events(steps, ev.NoteWritten)] == [note.text]  # type: ignore[attr-defined]
    later = [seen for seen in company.seen if seen.agent == "bob" and seen.task == "propose"][-1]
    assert f"eve notes: {note.text}" in later.notes


def test_the_recorded_text_of_a_version_is_what_its_diff_makes_of_its_parent() -> None:
    company = Company(small_chart(8), {("bob", "propose"): [BETTER, ("GAIN = 0.5", gain(0.5, 0.9)), BROKEN]})
    company.run()
    codes = company.engine.state.codes
    for code in codes.values():
        before = codes[code.event.parent].event.files if code.event.parent else toy_project().code
        assert apply(code.event.diff, before) == code.event.files


def test_an_optimiser_sees_the_record_as_it_would_be_on_the_champions_code() -> None:
    script = {("bob", "propose"): [baseline(), baseline("lr", 0.2), BETTER, baseline("lr", 0.15)]}
    company = Company(small_chart(12), script)
    company.run()
    proposes = [seen for seen in company.seen if seen.agent == "bob" and seen.task == "propose"]
    early, late = proposes[2], proposes[-1]
    assert late.champion is not None and late.champion.code and not early.champion.code  # type: ignore[union-attr]
    told = {r.experiment: r.loss for r in late.history}
    for result in early.history:
        assert told[result.experiment] == pytest.approx((result.loss or 0.0) - 0.5, abs=0.06)  # three sigmas of noise
    review = [seen for seen in company.seen if seen.task == "review"][-1]
    assert {r.experiment: r.loss for r in review.history}[early.history[0].experiment] == early.history[0].loss
