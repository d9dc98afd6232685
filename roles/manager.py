"""The manager: moves compute to what pays, sets directives, appraises its reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from roles.appraising import appraise
from roles.bandit import TOP, shares
from roles.intents import Assign, Digest, Intent
from roles.observation import Observation, ReportView
from roles.prompts import prompt
from roles.role import Brain, Role

Kind = Literal["explore", "refine", "free"]
SPENDING = ("researcher", "manager")  # the roles that turn compute into results
LATE = 0.8  # share of the budget after which nothing new is begun
PATIENCE = 10  # results without one in the top of the record before a report is sent elsewhere
BREAKING = 0.4  # share of failed runs that calls for staying near what works


def decide(observation: Observation, brain: Brain) -> list[Intent]:
    """`plan`: an Assign for every report and a Digest. `appraise`: one judgement for every report."""
    if observation.task == "appraise":
        return list(appraise(observation))
    return plan(observation)


def plan(observation: Observation) -> list[Intent]:
    """Shares by the bandit (policy `share`: "bandit", or "equal" as the control) and a directive for each report."""
    spending = [report for report in observation.reports if report.role in SPENDING]
    share_of = dict(zip([r.agent for r in spending], _shares(observation, spending), strict=True))
    assigned = [_assign(observation, report, share_of) for report in observation.reports]
    return [*assigned, Digest(text=digest(observation, share_of))]


def _shares(observation: Observation, spending: Sequence[ReportView]) -> list[float]:
    if observation.policy.get("share", "bandit") == "equal":
        return [1.0 / len(spending)] * len(spending)
    outcomes = [report.outcomes for report in spending]
    return shares(outcomes, observation.rng("plan"), observation.policy.get("top", TOP))


def _assign(observation: Observation, report: ReportView, share_of: dict[str, float]) -> Assign:
    if report.agent not in share_of:
        return Assign(agent=report.agent, share=0.0, reason=f"{report.role}s spend no compute of their own")
    directive, reason = directive_for(observation, report)
    return Assign(agent=report.agent, share=min(1.0, share_of[report.agent]), directive=directive, reason=reason)


def directive_for(observation: Observation, report: ReportView) -> tuple[Kind, str]:
    """What to ask of a report, with the reason. Most of the time: nothing in particular."""
    if report.status == "probation":
        return "refine", "on probation: stay near what works"
    if observation.spent >= LATE:
        return "refine", f"{observation.spent:.0%} of the budget is spent: improve on what there is"
    if report.experiments >= 5 and report.failed > BREAKING * report.experiments:
        return "refine", f"{report.failed} of {report.experiments} runs failed: stay near what works"
    recent = report.outcomes[-PATIENCE:]
    if len(recent) == PATIENCE and max(recent) < 1.0 - TOP:
        return "explore", f"none of the last {PATIENCE} results was in the record's top tenth: look elsewhere"
    return "free", "going well enough to be left alone"


def digest(observation: Observation, share_of: dict[str, float]) -> str:
    """Three plain sentences on the team for the manager's own manager."""
    reports = observation.reports
    ran, failed = sum(r.experiments for r in reports), sum(r.failed for r in reports)
    lines = [f"{len(reports)} reports ran {ran} experiments, of which {failed} failed."]
    leaders = sorted((r for r in reports if r.best is not None), key=lambda r: (r.best, r.agent))
    if leaders and leaders[0].best is not None:
        lines.append(
            f"Best {observation.metric.name}: {observation.metric.sign * leaders[0].best:.4g}, by {leaders[0].agent}."
        )
    if share_of:
        most = max(share_of, key=share_of.__getitem__)
        lines.append(f"Most compute goes to {most} ({share_of[most]:.0%}).")
    return " ".join(lines)


MANAGER = Role(
    name="manager",
    duties="Assigns compute to what pays, sets directives, and coaches or replaces reports on evidence.",
    prompt=prompt("manager"),
    tasks=("plan", "appraise"),
    default_brain="policy",
    policy=decide,
)
