"""How validations reach the hierarchical appraisal while the engine still appraises by `appraisal.posterior`.

To switch over: `chart_rule` returns the rule, `seen_by_manager` the observation, `believed` what AgentAppraised says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from company.appraisal import REPLACEMENT_LEVEL, Posterior, worths
from company.record import Record
from company.state import State
from roles.observation import Observation


def chart_rule(rule: str) -> str:
    """The rule to write into the chart; under `bottom` the engine lets a manager replace whom it likes."""
    return "bottom" if rule == "posterior" else rule


def seen_by_manager(observation: Observation, state: State, record: Record, rule: str) -> Observation:
    """An appraisal's observation with the hierarchical posteriors of the reports, and the rule that is validated."""
    if observation.task != "appraise":
        return observation
    found = worths(record.scores, [report.agent for report in observation.reports], REPLACEMENT_LEVEL)
    reports = tuple(
        replace(r, worth=w.mean, low=w.low, high=w.high, evidence=w.evidence, p_below=w.p_below)
        for r, w in ((report, found[report.agent]) for report in observation.reports)
    )
    return replace(observation, reports=reports, policy={**observation.policy, "rule": rule})


def believed(state: State, record: Record) -> Mapping[str, Posterior]:
    """What the company believes of every researcher it ever had, in the end."""
    return worths(record.scores, [agent.id for agent in state.agents.values() if agent.role == "researcher"])
