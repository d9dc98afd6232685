"""The finals: the end of the budget reruns the best, and what is chosen is the likely best of what is surely better."""

from __future__ import annotations

from core_kit import chart_of
from scipy import stats

from company import events as ev
from company.compute.backend import Outcome
from company.engine import Step
from company.finals import believed, contenders
from company.judging import pooled_sd
from company.planning import reserved
from company.state import State
from company.surrogates.catalogue import worlds
from company.testing import Run, drive, planted_loss, planted_project, planted_trainer
from company.virtual import run_virtually
from roles.streams import stream

FINALS = {"rule": "replicate", "finals": 0.2}


def company(seed: int, noise: float, experiments: int = 40, **accept: object) -> tuple[State, list[ev.Event]]:
    """A company on the planted bowl, and everything that happened."""
    happened: list[ev.Event] = []

    def note(step: Step) -> None:
        happened.extend(event for _, event in step.events)

    chart = chart_of("startup", experiments, accept={**FINALS, **accept})
    engine = drive(planted_project(), chart, planted_trainer(noise), seed=seed, slots=2, on_step=note)
    return engine.state, happened


def last_proposal(happened: list[ev.Event]) -> int:
    return max(i for i, e in enumerate(happened) if isinstance(e, ev.ExperimentCreated) and e.purpose == "proposal")


def test_what_is_kept_is_spent_on_reruns_after_the_last_proposal() -> None:
    state, happened = company(seed=1, noise=0.3)
    late = happened[last_proposal(happened) :]
    reruns = [e for e in late if isinstance(e, ev.ExperimentCreated) and e.purpose == "replication"]
    assert reserved(state) == 8
    assert len(reruns) >= 8
    assert state.admitted <= 40
    assert not [e for e in state.experiments.values() if e.standing == "replicating"]


def test_the_champion_has_the_best_mean_of_all_that_was_rerun_often() -> None:
    for seed in range(6):
        state, _ = company(seed, noise=0.3)
        champion = state.champion
        assert champion is not None
        assert champion.experiment != "e0001"
        others = {e.id: state.fresh_values(e.id) for e in state.experiments.values() if e.purpose == "proposal"}
        often = [sum(values) / len(values) for values in others.values() if len(values) >= 4]
        mine = others[champion.experiment]
        assert all(sum(mine) / len(mine) <= other + 0.3 for other in often)


def test_finals_end_nearer_the_best_than_the_last_proof_does() -> None:
    truths = [
        [
            planted_loss(champion.config)
            for seed in range(8)
            if (champion := company(seed, 0.6, finals=share)[0].champion)
        ]
        for share in (0.0, 0.2)
    ]
    assert sum(truths[1]) < 0.8 * sum(truths[0])


def test_without_noise_nothing_is_rerun() -> None:
    state, _ = company(seed=2, noise=0.0)
    assert reserved(state) == 0
    assert not [e for e in state.experiments.values() if e.purpose == "replication"]
    assert state.champion is not None
    best = min(e.metric for e in state.experiments.values() if e.metric is not None and e.split == "validation")
    assert state.champion.loss == best


def test_greedy_and_a_share_of_nothing_hold_no_finals() -> None:
    for accept in ({"rule": "greedy"}, {"finals": 0.0}):
        state, _ = company(seed=3, noise=0.3, **accept)
        assert reserved(state) == 0


def test_pure_noise_leaves_the_baseline_champion_about_as_often_as_p_says() -> None:
    def noise_alone(run: Run) -> Outcome:
        return Outcome("ok", metric=float(stream(run.seed, "a/a", "noise").standard_normal()))

    chart = chart_of("startup", 30, watch={"rule": "never"}, appraise={"every": 0}, accept={**FINALS, "p": 0.05})
    chosen_last = 0
    runs = 30
    for seed in range(runs):
        happened: list[ev.Event] = []
        drive(
            planted_project(), chart, noise_alone, seed=seed,
            on_step=lambda step, seen=happened: seen.extend(event for _, event in step.events),
        )  # fmt: skip
        chosen = [e for e in happened if isinstance(e, ev.ChampionChosen)]
        chosen_last += any("in the finals" in e.because for e in chosen)
    assert stats.binomtest(chosen_last, runs, 0.05, alternative="greater").pvalue > 0.01


def test_finals_find_the_best_arm_of_a_noisy_bandit() -> None:
    """Ten arms of means N(0, 1), noise of sd 1, 100 pulls: who was unlucky once is tried again, and the proof against
    the baseline gets the runs that it needs. Choosing by the best single run leaves a regret of about 0.2."""
    chart = chart_of("startup", 95, accept=FINALS)
    left = []
    for seed in range(12):
        (world,) = worlds("bandit", seed)
        engine = run_virtually(world.project(), chart, world.train, seed=seed, slots=4, seconds=world.seconds)
        assert engine.state.champion is not None
        left.append(world.regret(engine.state.champion.config))
    assert sum(left) / len(left) < 0.1
    assert sum(regret == 0 for regret in left) >= 8


def test_a_rerun_goes_where_it_betters_the_choice_most() -> None:
    state, _ = company(seed=4, noise=0.6)
    runs = {e.id: 1 + len(e.replications) for e in contenders(state)}
    beliefs = believed(state, contenders(state), pooled_sd(state.spread))
    assert [b.mean for b in beliefs] == sorted(b.mean for b in beliefs)
    leaders = [runs[b.entrant.id] for b in beliefs[:3]]
    rest = [runs[b.entrant.id] for b in beliefs[10:]]
    assert sum(leaders) / len(leaders) > 2 * sum(rest) / len(rest)
    surest = min(beliefs, key=lambda b: b.variance)
    assert runs[surest.entrant.id] == max(runs.values())
