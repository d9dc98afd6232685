"""The reviewer: turns down waste before a run, tells gains from noise after it."""

from __future__ import annotations

import math
from statistics import median

from roles.brains.record import summary_of
from roles.intents import Approve, Intent, Refuse, Verdict
from roles.observation import Champion, Observation, Subject
from roles.prompts import prompt
from roles.role import Brain, Role
from roles.waste import prospect

SCREEN = 1.0  # sigmas that a gain must reach to be worth replicating
WASTE = 0.005  # a proposal with a smaller chance, among near copies that all did badly, is not worth a slot
NEAR_COPIES = 3  # such copies before a refusal: a discovery refused costs more than a run wasted


def decide(observation: Observation, brain: Brain) -> list[Intent]:
    """`review` before a run, `verdict` after it."""
    subject = observation.subject
    if subject is None:
        return []
    return [review(observation, subject) if observation.task == "review" else verdict(observation, subject)]


def review(observation: Observation, subject: Subject) -> Approve | Refuse:
    """Refuse what is outside the space, tried or under way, or a near copy of several that failed or did badly.

    `observation.pending` holds what is under way beside the subject, not the subject itself.
    """
    problems = observation.space.check(subject.config)
    if problems:
        return Refuse(p_improves=0.0, reason="outside the space: " + "; ".join(problems))
    for result in observation.history if subject.unit in summary_of(observation.history).units else ():
        if result.unit == subject.unit and result.code == subject.code and result.failure != "infrastructure":
            return Refuse(p_improves=0.0, reason=f"a duplicate of {result.experiment}")
    seen = prospect(observation, subject.unit)
    chance = round(seen.p_improves, 4)
    if subject.diff:
        return Approve(p_improves=chance, reason="changed code: only a run can tell")
    if subject.unit in observation.pending:
        return Refuse(p_improves=0.0, reason="the same config is already under way")
    if seen.near >= NEAR_COPIES and seen.poor == seen.near and seen.p_improves < observation.policy.get("waste", WASTE):
        return Refuse(
            p_improves=chance, reason=f"{seen.near} near copies were tried: all did badly, {seen.failed} failed"
        )
    beside = f"{seen.near} near copies, {seen.poor} of them poor" if seen.near else "nothing like it was tried"
    return Approve(p_improves=chance, reason=beside)


def verdict(observation: Observation, subject: Subject) -> Verdict:
    """The gain over the champion in sigmas, and the probability that it is real."""
    loss, champion = subject.loss, observation.champion
    if loss is None or not math.isfinite(loss):
        return Verdict(outcome="failed", p_real=0.0, reason=f"no result: {subject.failure or 'it was stopped'}")
    if champion is None:
        return Verdict(outcome="promising", p_real=0.5, reason="there is no champion yet to compare with")
    gain, sigma = champion.loss - loss, observation.sigma
    screen = observation.policy.get("screen", SCREEN)
    chance = p_real(observation, champion, gain)
    if sigma <= 0:
        outcome = "promising" if gain > 0 else "noise" if gain == 0 else "worse"
        return Verdict(outcome=outcome, p_real=chance, reason=f"{_signed(gain)} against the champion, without noise")
    sigmas = gain / sigma
    outcome = "promising" if sigmas >= screen else "worse" if sigmas <= -screen else "noise"
    measure = f"{abs(sigmas):.1f} sigma {'better' if gain > 0 else 'worse'} than the champion"
    return Verdict(outcome=outcome, p_real=chance, reason=f"{measure}; up to {screen:g} is noise")


def p_real(observation: Observation, champion: Champion, gain: float) -> float:
    """Probability that the true gain is positive: a normal posterior whose prior is how proposals usually fare.

    The prior (median and spread of the record's gains, empirical Bayes) takes the luck out of the best of many.
    """
    noise = observation.sigma * math.sqrt(1.0 + 1.0 / max(1, champion.runs))
    if noise <= 0:
        return 1.0 if gain > 0 else 0.0
    losses = [r.loss for r in observation.history if r.loss is not None and math.isfinite(r.loss)]
    gains = [champion.loss - loss for loss in losses or [champion.loss]]
    usual = min(0.0, median(gains))
    spread = max(observation.sigma, -usual, 1.4826 * median([abs(gain - usual) for gain in gains]))  # tails are heavy
    pull = spread**2 / (spread**2 + noise**2)
    mean, deviation = usual + pull * (gain - usual), math.sqrt(pull) * noise
    return round(0.5 * math.erfc(-mean / deviation / math.sqrt(2.0)), 4)


def _signed(gain: float) -> str:
    return f"{abs(gain):.3g} {'better' if gain > 0 else 'worse'}"


REVIEWER = Role(
    name="reviewer",
    duties="Turns down wasteful proposals before they run and tells gains from noise afterwards.",
    prompt=prompt("reviewer"),
    tasks=("review", "verdict"),
    default_brain="policy",
    policy=decide,
)
