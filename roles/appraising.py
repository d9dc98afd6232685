"""Whom to keep, coach or replace: the rules of a manager, on evidence, with the controls beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roles.coaching import advice, smaller_steps
from roles.intents import Coach, Keep, Replace
from roles.observation import Observation, ReportView
from roles.selection import lowest

AFTER = 4  # finished experiments before anyone is judged
CONFIDENCE = 0.7  # probability of being under the replacement level that calls for action
RATE = 0.1  # of the `random` control: replacements for each appraisal of a report

Judgement = Keep | Coach | Replace


def appraise(observation: Observation) -> list[Judgement]:
    """One judgement for each report, by the policy's `rule`: "posterior", or a control: "never", "random", "bottom"."""
    rule, reports, policy = observation.policy.get("rule", "posterior"), observation.reports, observation.policy
    if rule == "never":
        return [Keep(agent=r.agent, because="the policy is to replace nobody") for r in reports]
    if rule == "random":
        return _at_random(observation)
    if rule == "bottom":
        return _bottom(reports, policy)
    return [by_posterior(report, policy) for report in reports]


def by_posterior(report: ReportView, policy: Mapping[str, Any]) -> Judgement:
    """Coach first, replace on probation, and only what is worse than the replacement level beyond doubt."""
    after, confidence = policy.get("after", AFTER), policy.get("confidence", CONFIDENCE)
    who = report.agent
    if report.evidence < after:
        return Keep(agent=who, because=f"{report.evidence} of {after} results needed: too early to judge")
    doubt = f"{report.p_below:.0%} sure to be below replacement after {report.evidence} results"
    if not report.due:
        return Keep(agent=who, because=f"{doubt}; its probation is not over yet")
    if report.p_below < confidence:
        met = ": the target of the probation is met" if report.status == "probation" else ""
        return Keep(agent=who, because=f"{doubt}; {confidence:.0%} would be needed{met}")
    if policy.get("coach_first", True) and report.status != "probation":
        return Coach(
            agent=who, directive="refine", params=smaller_steps(report), advice=advice(report), because=doubt
        )  # fmt: skip
    if not report.replaceable:
        return Keep(agent=who, because=f"{doubt}, but the chart allows no replacement now")
    missed = "; the target of the probation was not met" if report.status == "probation" else ""
    return Replace(agent=who, because=doubt + missed)


def _at_random(observation: Observation) -> list[Judgement]:
    draws = observation.rng("appraise").random(len(observation.reports)).tolist()
    rate = observation.policy.get("rate", RATE)
    return [
        Replace(agent=report.agent, because="drawn by lot: the random control")
        if _eligible(report, observation.policy) and draw < rate
        else Keep(agent=report.agent, because="not drawn: the random control")
        for report, draw in zip(observation.reports, draws, strict=True)
    ]


def _bottom(reports: Sequence[ReportView], policy: Mapping[str, Any]) -> list[Judgement]:
    judged = [r for r in reports if r.evidence >= policy.get("after", AFTER)]
    last = lowest(judged, lambda r: r.worth, lambda r: r.agent, 1)[0] if len(judged) > 1 else None
    return [
        Replace(agent=report.agent, because="last of its peers: the bottom control")
        if report is last and _eligible(report, policy)
        else Keep(agent=report.agent, because="not last of its peers: the bottom control")
        for report in reports
    ]


def _eligible(report: ReportView, policy: Mapping[str, Any]) -> bool:
    return report.replaceable and report.evidence >= policy.get("after", AFTER)
