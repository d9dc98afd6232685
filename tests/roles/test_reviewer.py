"""The reviewer refuses waste, lets discoveries through, and tells gains from noise."""

from __future__ import annotations

import numpy as np
import pytest
from role_world import BASELINE, SPACE, champion, easy_loss, observe, result, subject

from roles.brains.offline import suggest
from roles.intents import Approve, Refuse, Verdict
from roles.observation import Observation
from roles.reviewer import REVIEWER
from roles.role import Brain


def decide(observation: Observation):
    (intent,) = REVIEWER.policy(observation, Brain("policy"))
    return intent


def test_what_is_outside_the_space_is_refused_with_the_reason() -> None:
    intent = decide(observe("review", subject=subject({**BASELINE, "depth": 99})))
    assert isinstance(intent, Refuse) and "depth=99" in intent.reason


def test_a_duplicate_of_the_record_or_of_what_is_under_way_is_refused() -> None:
    tried = [result(4, BASELINE, 1.0)]
    assert "e4" in decide(observe("review", history=tried, subject=subject())).reason
    assert isinstance(decide(observe("review", pending=[SPACE.encode(BASELINE)], subject=subject())), Refuse)


def test_a_lost_worker_makes_no_duplicate() -> None:
    lost = [result(4, BASELINE, None, failure="infrastructure")]
    assert isinstance(decide(observe("review", history=lost, subject=subject())), Approve)


def crowd(loss: float | None, failure: str = "diverged") -> list:
    """Twenty fair results far off, and six near copies of the baseline that ended in `loss`."""
    rng = np.random.default_rng(0)
    far = [{**SPACE.sample(rng), "norm": "rms", "lr": 0.05 + 0.01 * i} for i in range(20)]
    near = [{**BASELINE, "lr": 0.00101 + 0.00001 * i} for i in range(6)]
    more = {} if loss is not None else {"failure": failure}
    return [result(i, c, easy_loss(c)) for i, c in enumerate(far)] + [
        result(50 + i, c, loss, **more) for i, c in enumerate(near)
    ]


def test_a_near_copy_of_many_failures_is_waste() -> None:
    intent = decide(observe("review", history=crowd(None), subject=subject()))
    assert isinstance(intent, Refuse) and "6 failed" in intent.reason


@pytest.mark.parametrize("history", [crowd(0.01), crowd(None, "out_of_memory"), crowd(None)[:22], []])
def test_what_may_be_a_discovery_passes(history: list) -> None:
    assert isinstance(decide(observe("review", history=history, subject=subject())), Approve)


def test_near_the_best_is_likelier_to_improve_than_near_the_worst() -> None:
    good, bad = (decide(observe("review", history=crowd(loss), subject=subject())) for loss in (0.0, 9.0))
    assert good.p_improves > 3 * bad.p_improves


def judged(loss: float | None, **more) -> Verdict:
    intent = decide(observe("verdict", subject=subject(loss=loss), champion=champion(1.0), **more))
    assert isinstance(intent, Verdict)
    return intent


def test_a_verdict_counts_in_sigmas() -> None:
    assert [judged(loss).outcome for loss in (0.9, 0.995, 1.005, 1.1, None, float("nan"))] == [
        "promising", "noise", "noise", "worse", "failed", "failed",
    ]  # fmt: skip
    assert "10.0 sigma better" in judged(0.9).reason
    assert judged(0.985, policy={"screen": 2.0}).outcome == "noise"


def test_without_noise_any_gain_is_real() -> None:
    assert judged(0.999, sigma=0.0).p_real == 1.0
    assert judged(1.001, sigma=0.0).outcome == "worse"


def test_p_real_grows_with_the_gain_and_discounts_the_best_of_many() -> None:
    chances = [judged(1.0 - 0.01 * sigmas).p_real for sigmas in (0.5, 1, 2, 4)]
    assert chances == sorted(chances)
    many = [result(i, BASELINE, 1.0 + 0.01 * z) for i, z in enumerate(np.random.default_rng(0).standard_normal(40))]
    assert judged(0.98, history=many).p_real < judged(0.98, history=[result(0, BASELINE, 1.5)]).p_real


def test_p_real_is_calibrated_where_the_truth_is_planted() -> None:
    rng = np.random.default_rng(5)
    truth = 1.0 + 0.02 * rng.standard_normal(300)
    seen = truth + 0.01 * rng.standard_normal(300)
    history = [result(i, BASELINE, float(loss)) for i, loss in enumerate(seen[:100])]
    verdicts = [judged(float(loss), history=history, sigma=0.01) for loss in seen[100:]]
    chance, real = np.array([v.p_real for v in verdicts]), truth[100:] < 1.0
    assert float(np.mean((chance - real) ** 2)) < 0.15
    assert abs(float(chance.mean() - real.mean())) < 0.08


@pytest.mark.parametrize("kind", ["random", "hillclimb", "tpe"])
def test_p_improves_is_calibrated_and_discoveries_are_not_refused(kind: str) -> None:
    chances, improved, lost = [], [], 0
    for seed in range(8):
        history = [result(0, BASELINE, easy_loss(BASELINE))]
        for turn in range(1, 40):
            found = suggest(kind, {}, observe(turn=turn, root_seed=seed, history=history), np.random.default_rng(turn))
            assert found is not None
            loss = easy_loss(found.config)
            better = loss < min(r.loss for r in history if r.loss is not None) - 0.01
            intent = decide(observe("review", history=history, subject=subject(found.config)))
            chances.append(intent.p_improves)
            improved.append(better)
            lost += better and isinstance(intent, Refuse)
            history.append(result(turn, found.config, loss))
    assert lost == 0
    assert abs(float(np.mean(chances)) - float(np.mean(improved))) < 0.06
