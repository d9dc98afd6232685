"""What each role is measured by, in its own terms: one function a role, from the state and the record to an Appraisal.

Every score is better when larger, 0 for a colleague whose absence would change nothing that is measured, and comes with
a 90 % interval that is wide where little is known. The parts are for screens and reports; only the score may decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from company.allocation import Compliance, compliance, followed, judge_split
from company.appraisal import Posterior, Z, pooled
from company.calibration import brier, mean_interval, predictions
from company.contribution import Score
from company.entities import Experiment
from company.outcomes import discoveries_lost, improved, waste
from company.promotion import MANAGERS
from company.record import Record, Work
from company.state import State
from company.worth import everyone

Case = tuple[Experiment, Work]
Forecast = tuple[float, bool]  # a probability, and whether it happened
Worths = Mapping[str, Posterior]


@dataclass(frozen=True, slots=True)
class Appraisal:
    """`score` in `unit` with its 90 % interval, from `n` pieces of evidence; `parts` says what it consists of."""

    agent: str
    role: str
    unit: str
    score: float
    low: float
    high: float
    n: int
    parts: Mapping[str, float]


def appraise_everyone(state: State) -> dict[str, Appraisal]:
    """An appraisal of everyone who ever worked here, those who left included."""
    return {agent: appraise(state, agent) for agent in state.agents}


def appraise(state: State, agent: str) -> Appraisal:
    """One agent by the measure of its role."""
    return _ROLES[state.agents[agent].role](state, state.record, agent, everyone(state))


def researcher(state: State, record: Record, agent: str, known: Worths) -> Appraisal:
    """The worth of a full-length run, and how well it foresaw its own results."""
    worth, person = known[agent], state.agents[agent]
    own = [e for e in state.experiments.values() if e.purpose == "proposal" and e.proposer == agent]
    foreseen = [e for e in own if e.predicted is not None and e.metric is not None]
    said = predictions(
        [state.loss(e.predicted or 0.0) for e in foreseen], [state.loss(e.metric or 0.0) for e in foreseen], record.unit
    )
    parts = {
        **worth.parts, "p_below": worth.p_below, "per_slot_second": worth.mean / record.full,
        "confirmed": sum(record.confirmed.get(e.id, 0.0) for e in own), "failed": float(person.failed),
        "dropped": float(person.dropped), "bias": said.bias, "rmse": said.rmse, "correlation": said.correlation,
        "predictions": float(said.n), **_cost(record, agent, person.cost),
    }  # fmt: skip
    unit = "compressed sigmas a full-length run"
    return Appraisal(agent, "researcher", unit, worth.mean, worth.low, worth.high, worth.evidence, parts)


def reviewer(state: State, record: Record, agent: str, known: Worths) -> Appraisal:
    """How much closer its probabilities came than the base rate would have, in Brier score a forecast."""
    cases = _proposals(state, record)
    before = _settled((work.forecasts[agent], improved(e)) for e, work in cases if agent in work.forecasts)
    after = _settled((work.p_real or 0.0, replicated(e)) for e, work in cases if work.judge == agent)
    gains = _over_base(before, _rate(improved(e) for e, _ in cases))
    gains += _over_base(after, _rate(replicated(e) for e, _ in cases))
    score, low, high = mean_interval(gains, 0.0, 0.1)
    lost, wasted = discoveries_lost(state), waste(state)
    refused = [e for e, work in cases if agent in work.refused_by]
    passed = [e for e, work in cases if agent in work.forecasts and agent not in work.refused_by]
    silenced = [e for e, work in cases if work.judge == agent and work.verdict in ("noise", "worse")]
    parts = {
        **_brier("improves", before), **_brier("real", after),
        "refused": float(len(refused)), "verdicts": float(sum(work.judge == agent for _, work in cases)),
        "discoveries_lost": float(sum(e.id in lost for e in [*refused, *silenced])),
        "waste_passed": float(sum(e.id in wasted for e in passed)),
        **_cost(record, agent, sum(e.cost for e in passed if e.id in wasted)),
    }  # fmt: skip
    return Appraisal(agent, "reviewer", "Brier score over the base rate", score, low, high, len(gains), parts)


def engineer(state: State, record: Record, agent: str, known: Worths) -> Appraisal:
    """Full-length runs saved for each experiment it had a hand in: repairs and early stops, less discoveries lost."""
    lost = discoveries_lost(state)
    cases = [
        (e, work)
        for e, work in _proposals(state, record)
        if agent in (work.engineer, work.repaired_by, work.stopped_by) and e.failure != "infrastructure"
    ]
    found = sum(e.standing == "champion" for e in state.experiments.values())
    price = state.proposals_finished / max(1, found)  # runs that a discovery takes in this company
    repairs = [float(work.repaired_by == agent and e.status == "ok") for e, work in cases]
    stops = [max(0.0, 1 - e.cost / record.full) if work.stopped_by == agent else 0.0 for e, work in cases]
    missed = [float(work.stopped_by == agent and e.id in lost) for e, work in cases]
    saved = [r + s - price * m for r, s, m in zip(repairs, stops, missed, strict=True)]
    score, low, high = mean_interval(saved, 0.0, 0.25)
    parts = {
        "repaired": sum(repairs), "crashes": float(sum(work.crashes for _, work in cases)),
        "failed": float(sum(e.status == "failed" for e, _ in cases)),
        "stopped": float(sum(work.stopped_by == agent for _, work in cases)), "saved_by_stops": sum(stops),
        "discoveries_lost": sum(missed), "throughput": _throughput([e for e, _ in cases]),
        **_cost(record, agent, sum(e.cost for e, _ in cases)),
    }  # fmt: skip
    return Appraisal(agent, "engineer", "full-length runs saved an experiment", score, low, high, len(saved), parts)


def manager(state: State, record: Record, agent: str, known: Worths) -> Appraisal:
    """What its split of the compute was worth beside an equal one; team output and compliance stand apart.

    Only what was done under its own plans counts. Before there is any, its score is a manager's prior."""
    below = _led(state, record)[agent]
    teams = [pooled([known[member] for member in found.members]) for found in below.values()]
    split = judge_split(teams, [found.weight for found in below.values()])
    own = [score for found in below.values() for score in found.scores]
    used, output = sum(score.cost for score in own), sum(record.confirmed.get(score.experiment, 0.0) for score in own)
    parts = {
        "regret": split.regret, "equal_regret": split.equal_regret, "output": output,
        "output_per_run": output * record.full / used if used else 0.0,
        **_compliance(directed(state, record, agent)), **_cost(record, agent, used),
    }  # fmt: skip
    low, high = (split.low, split.high) if own else (-Z * MANAGERS, Z * MANAGERS)
    unit = "compressed sigmas a full-length run over an equal split"
    return Appraisal(agent, "manager", unit, split.gain, low, high, len(own), parts)


@dataclass(slots=True)
class _Report:
    """A seat under a manager: who held it or a seat below it, and what they did under that manager."""

    members: dict[str, None] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return sum(score.weight for score in self.scores)


def _led(state: State, record: Record) -> dict[str, dict[str, _Report]]:
    """By manager and direct report's seat, who worked there under the manager's plans of the time, with its scores."""
    found: dict[str, dict[str, _Report]] = {agent: {} for agent in state.agents}
    boss: dict[str, str] = {}
    plans = iter([*record.plans, (len(record.scores) + 1, "", {})])
    after, planner, shares = next(plans)
    for index in range(len(record.scores) + 1):
        while after <= index:
            boss.update(dict.fromkeys(shares, planner))
            for person in shares:
                if state.agents[person].role == "researcher":  # also one who was given nothing
                    _under(state, found, boss, person)
            after, planner, shares = next(plans)
        if index < len(record.scores):
            for report in _under(state, found, boss, record.scores[index].agent):
                report.scores.append(record.scores[index])
    return found


def _under(state: State, found: dict[str, dict[str, _Report]], boss: Mapping[str, str], person: str) -> list[_Report]:
    """The reports that a researcher belongs to now, from the bottom up."""
    chain, at = [], person
    while at in boss and len(chain) < len(boss):
        seat = found[boss[at]].setdefault(state.agents[at].position, _Report())
        seat.members[person] = None
        chain.append(seat)
        at = boss[at]
    return chain


def replicated(experiment: Experiment) -> bool | None:
    """Whether fresh seeds confirmed the gain; None where no fresh seed was judged."""
    return improved(experiment) if experiment.standing and experiment.replications else None


def directed(state: State, record: Record, manager: str) -> Compliance:
    """The 2 x 2 of a manager's directives: followed or not, and better than the block's field or not."""
    asked, better = [], []
    mean = _fields(record)
    score_of = {score.experiment: score for score in record.scores}
    for e, work in _proposals(state, record):
        did = complied(state, e, work) if work.manager == manager and e.id in score_of else None
        if did is not None:
            asked.append(did)
            better.append(score_of[e.id].value > mean[score_of[e.id].block])
    return compliance(asked, better)


def complied(state: State, e: Experiment, work: Work) -> bool | None:
    """Whether a proposal did what its proposer was asked for, given the champion of the time; None where that was
    nothing."""
    baseline = next((each for each in state.experiments.values() if each.purpose == "baseline"), None)
    rival = state.experiments.get(work.champion or "", baseline)
    if rival is None:
        return None
    return followed(work.directive, work.focus, e.config, rival.config, e.unit, rival.unit)


def _proposals(state: State, record: Record) -> list[Case]:
    return [(state.experiments[id_], work) for id_, work in record.work.items()]


def _brier(name: str, cases: Sequence[Forecast]) -> dict[str, float]:
    if not cases:
        return {f"{name}_n": 0.0}
    found = brier([p for p, _ in cases], [hit for _, hit in cases])
    return {
        f"{name}_n": float(found.n), f"{name}_brier": found.score, f"{name}_reliability": found.reliability,
        f"{name}_resolution": found.resolution, f"{name}_uncertainty": found.uncertainty, f"{name}_skill": found.skill,
    }  # fmt: skip


def _compliance(table: Compliance) -> dict[str, float]:
    value, low, high = table.difference()
    return {
        "directed": float(table.n), "followed": table.rate, "followed_improved": float(table.followed_improved),
        "followed_not": float(table.followed_not), "other_improved": float(table.other_improved),
        "other_not": float(table.other_not), "difference": value, "difference_low": low, "difference_high": high,
    }  # fmt: skip


def _cost(record: Record, agent: str, slot_seconds: float) -> dict[str, float]:
    return {"slot_seconds": slot_seconds, "tokens": float(record.tokens.get(agent, 0))}


def _throughput(experiments: Iterable[Experiment]) -> float:
    """Reference seconds of work done in a second of company time, 1 where the cost table is right; 0 without runs."""
    done = [e for e in experiments if e.status == "ok" and e.finished_at is not None]
    spent = sum((e.finished_at or 0.0) - e.started_at for e in done)
    return sum(e.cost for e in done) / spent if spent > 0 else 0.0


def _settled(cases: Iterable[tuple[float, bool | None]]) -> list[Forecast]:
    return [(p, hit) for p, hit in cases if hit is not None]


def _over_base(cases: Sequence[Forecast], base: float) -> list[float]:
    """How much closer each forecast came than the base rate of everyone's cases would have."""
    return [(base - hit) ** 2 - (p - hit) ** 2 for p, hit in cases]


def _rate(hits: Iterable[bool | None]) -> float:
    known = [hit for hit in hits if hit is not None]
    return sum(known) / len(known) if known else 0.5


def _fields(record: Record) -> dict[int, float]:
    """The mean value of each block."""
    values: dict[int, list[float]] = {}
    for score in record.scores:
        values.setdefault(score.block, []).append(score.value)
    return {block: sum(found) / len(found) for block, found in values.items()}


_ROLES: dict[str, Callable[[State, Record, str, Worths], Appraisal]] = {
    "researcher": researcher, "reviewer": reviewer, "engineer": engineer, "manager": manager,
}  # fmt: skip
