"""How a company stands, for whoever looks at it: progress, gains in sigmas, who does what. Pure reads of the state."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from company.appraisal import Posterior
from company.entities import FINISHED, Agent, Experiment
from company.planning import budget_spent
from company.scorecards import Appraisal, appraise
from company.state import State
from company.worth import worth_of

_DOING = {
    "propose": "thinks of a proposal", "review": "reviews {}", "verdict": "judges {}", "build": "builds {}",
    "repair": "looks at the failure of {}", "watch": "watches {}", "plan": "plans", "appraise": "appraises the team",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """Runs done and expected in each phase, and the share of the whole, 0 to 1."""

    founding: tuple[int, int]
    research: tuple[int, int]
    closing: tuple[int, int]
    share: float


def progress(state: State) -> Progress:
    """How far a founded company is."""
    policies = state.chart.policies
    baseline = sum(e.purpose == "baseline" and e.status in FINISHED for e in state.experiments.values())
    closing = [e for e in state.experiments.values() if e.purpose == "closing"]
    under_way = sum(state.experiments[e].admitted for e in state.under_way) if state.phase == "research" else 0
    budget, admitted = _budget(state), round(state.admitted)
    if state.phase in ("closing", "closed"):
        budget = admitted
    parts = (
        (baseline, max(baseline, policies.found.baselines)),
        (max(0, admitted - under_way), max(budget, admitted)),
        (sum(e.status in FINISHED for e in closing), len(closing) or 2 * policies.close.seeds),
    )
    share = sum(done for done, _ in parts) / max(1, sum(of for _, of in parts))
    return Progress(*parts, 1.0 if state.phase == "closed" else min(1.0, share))


def _budget(state: State) -> int:
    """About how many experiments the research budget allows, at least one."""
    spent = budget_spent(state)
    if spent > 0:
        return max(1, round(state.admitted / spent))
    budget = state.chart.budget
    return int(budget.experiments or (budget.slot_seconds or 0.0) / state.brief["budget_seconds"]) or 1


def champion_metric(state: State) -> float | None:
    """The champion's confirmed metric, None before the noise is measured."""
    return None if state.champion is None else state.champion.loss * state.metric.sign


def champion_is_baseline(state: State) -> bool:
    """Whether nothing has been confirmed to be better than the baseline."""
    first = next((e for e in state.experiments.values() if e.purpose == "baseline"), None)
    return state.champion is None or first is None or state.champion_hash == first.hash


def better_by(state: State, metric: float | None, than: float | None) -> float | None:
    """By how many sigmas of noise a metric is better than another; None where that cannot be said."""
    if metric is None or than is None or state.sigma <= 0:
        return None
    return (state.loss(than) - state.loss(metric)) / state.sigma


def score(state: State, agent: Agent) -> Posterior | None:
    """What a researcher's finished proposals say of its worth, None without evidence."""
    return worth_of(state, agent) if agent.role == "researcher" and state.record.evidence(agent.id) else None


def scorecard(state: State, agent: str) -> Appraisal:
    """What an agent's role measures it by, now; made once an event for whoever is looked at."""
    if state not in _cards or _cards[state][0] != state.seq:
        _cards[state] = state.seq, {}
    known = _cards[state][1]
    if agent not in known:
        known[agent] = appraise(state, agent)
    return known[agent]


_cards: WeakKeyDictionary[State, tuple[int, dict[str, Appraisal]]] = WeakKeyDictionary()


def doing(state: State) -> dict[str, str]:
    """What everyone who holds a position is doing now, in plain words; an agent with nothing to do is left out."""
    found: dict[str, str] = {}
    for id_ in state.under_way:
        experiment = state.experiments[id_]
        if experiment.purpose == "proposal" and experiment.proposer:
            found[experiment.proposer] = f"{id_} {_stage(experiment)}"
    for pending in state.decisions.values():
        found[pending.agent] = _DOING.get(pending.task, pending.task).format(pending.experiment or "")
    return found


def _stage(experiment: Experiment) -> str:
    return "under review" if experiment.status == "proposed" else experiment.status
