"""The tables of a report as data, the same for every format. Text in them is plain but not yet escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from company import events as ev
from company.account import Account
from company.code_words import tried_text
from company.entities import Experiment
from company.model_costs import words
from company.optimism import Optimism, optimism
from company.standing import better_by, champion_is_baseline, champion_metric
from company.state import State
from company.wording import count, number, percent, plain, setting, signed, span

PEOPLE = (
    ev.AgentHired, ev.AgentReplaced, ev.TrialEnded, ev.AgentCoached, ev.AgentAppraised, ev.DirectiveGiven,
    ev.DecisionMade, ev.ChartRevised, ev.RevisionChecked, ev.StructureReviewed, ev.ApprovalAsked, ev.ApprovalGiven,
    ev.CommandAnswered,
)  # fmt: skip
RESEARCH = (
    ev.RunFounded, ev.NoiseMeasured, ev.ChampionChosen, ev.CandidateRejected, ev.ExperimentRefused, ev.ResearchEnded,
    ev.HoldoutMeasured, ev.RunClosed,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """A number worth a card: what it is, the number, and what to know of it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Run:
    """A row of the experiments' table; `nested` under the candidate that it repeats."""

    id: str
    nested: bool
    who: str
    what: str
    expected: str
    metric: str
    sigmas: str
    outcome: str
    tone: str  # good | bad | muted | ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the story: `topic` is people or research, `tone` as in Run."""

    at: str
    topic: str
    words: str
    tone: str


def facts(account: Account, short: bool = False) -> list[Fact]:
    """The run in a few numbers; `short`: a line each, without the gain, which the conclusion says."""
    state = account.state
    unit = plain(state.metric.unit, 20)
    status = [e.status for e in state.experiments.values()]
    found = [Fact("baseline", number(state.baseline_mean), _noise(state))]
    if state.champion is not None:
        found.append(Fact("champion", number(champion_metric(state)), _lead(state)))
    if not short and state.holdout is not None and state.holdout.gain is not None:
        low, high = signed(state.holdout.low), signed(state.holdout.high)
        found.append(Fact("gain on the holdout", signed(state.holdout.gain), f"{unit} ({low} to {high})".strip()))
    if (too_much := optimism(state)) is not None:
        found.append(Fact("optimism", signed(too_much.value), _optimism(too_much, short)))
    ended = ", ".join(f"{status.count(s)} {s}" for s in ("ok", "stopped", "failed", "refused") if s in status)
    found.append(Fact("experiments", str(len(status)), ended or "none"))
    found += _time(account, short)
    if account.models.total.decisions:
        found.append(Fact("models", *words(account.models)))
    return found


def runs(account: Account) -> Iterator[Run]:
    """Every experiment: baseline, then each proposal with its repetitions, then the closing runs."""
    state = account.state
    everyone = list(state.experiments.values())
    for purpose in ("baseline", "proposal", "closing"):
        for experiment in (e for e in everyone if e.purpose == purpose):
            yield _run(account, experiment, nested=False)
            for id_ in experiment.replications:
                yield _run(account, state.experiments[id_], nested=True)


def decisions(account: Account) -> list[Decision]:
    """What was decided about people and about findings, in order, with its because."""
    return [
        Decision(f"{told.at:.1f}", topic, told.words, _tone(told.event))
        for told in account.story
        for topic, kinds in (("people", PEOPLE), ("research", RESEARCH))
        if isinstance(told.event, kinds)
    ]


def settings(state: State) -> list[tuple[str, str, str]]:
    """The champion's config beside the baseline's: (parameter, baseline, champion)."""
    before = state.brief["baseline"]
    after = state.champion.config if state.champion else before
    return [(plain(name, 60), setting(before[name]), setting(after.get(name))) for name in before]


def references(state: State) -> list[tuple[str, str, str]]:
    """The project's yardsticks: (name, value, how the champion stands to it)."""
    champion = champion_metric(state)
    found = []
    for name, value in state.brief.get("references", {}).items():
        gain = None if champion is None else state.loss(value) - state.loss(champion)
        words = "–" if gain is None else f"champion {'better' if gain > 0 else 'worse'} by {number(abs(gain), 3)}"
        found.append((plain(name, 40), number(value), words))
    return found


def provenance(account: Account) -> list[tuple[str, str]]:
    """What the results are bound to."""
    brief, chart = account.state.brief, account.state.chart
    return [
        ("project", f"{plain(brief['name'], 60)}, version {brief['version']}, cost table {brief['costs_version']}"),
        ("training code", brief["code_hash"]),
        ("evaluator", brief["evaluator_hash"]),
        ("data", brief["data_hash"]),
        ("sandbox", account.sandbox or "nothing was run"),
        ("champion's config", account.state.champion_hash),
        ("seed", str(account.state.seed)),
        ("chart", f"{plain(chart.company, 60)}, {count(len(chart.positions), 'position')}"),
        ("ledger digest", account.digest),
        ("events", str(account.state.seq)),
    ]


def commands(account: Account) -> list[tuple[str, str]]:
    """How to see more: (command, what it does)."""
    import shlex

    where = shlex.quote(plain(account.directory, 400))
    found = [
        (f"loopworks report {where} --format md", "this report as Markdown; also html, json, terminal"),
        (f"loopworks tui {where}", "look around in it"),
    ]
    if account.state.codes:
        found.append((f"git clone -b champion {where}/code.git", "the champion's code, to train by hand"))
    if account.state.closed is None:
        found.insert(0, (f"loopworks run --resume {where}", "go on with this run"))
    return found


def _noise(state: State) -> str:
    n = len(state.baseline_values)
    return f"± {number(state.sigma, 2)} (sigma, {count(n, 'seed')})" if state.champion else "not measured"


def _time(account: Account, short: bool) -> list[Fact]:
    state, used = account.state, account.usage
    took, slots = span(used.total_s), count(state.slots, f"{plain(state.device, 10)} slot")
    if used.busy_share is None:
        return [Fact("took", took, "at work")]
    if short:
        return [Fact("took", took, f"at work, {slots} {percent(used.busy_share)} busy")]
    launch = f"a launch costs {number(used.launch_s, 2)} s" if used.launch_s is not None else ""
    busy = Fact("slots busy", percent(used.busy_share), ", ".join(filter(None, (slots, launch))))
    return [busy, Fact("took", took, "at work")]


def _optimism(found: Optimism, short: bool) -> str:
    """What was promised where the champion was chosen, against what the holdout gave."""
    if short:
        where = {True: ", inside the interval", False: ", outside the interval", None: ""}[found.inside]
        return f"validation promised {signed(found.validation)}{where}"
    first = "" if found.first is None else f", the run it was noticed by {signed(found.first)}"
    told = {True: "inside the holdout's interval", False: "outside the holdout's interval", None: ""}[found.inside]
    return f"validation promised {signed(found.validation)}{f' ({told})' if told else ''}{first}"


def _lead(state: State) -> str:
    by = better_by(state, champion_metric(state), state.baseline_mean)
    if champion_is_baseline(state):
        return "the baseline itself"
    assert state.champion is not None
    seeds = f"{state.champion.experiment}, {count(state.champion.runs, 'run')}"
    return seeds if by is None else f"{by:.1f} sigma better ({seeds})"


def _run(account: Account, e: Experiment, nested: bool) -> Run:
    state = account.state
    by = better_by(state, e.metric, state.baseline_mean) if e.purpose != "closing" else None
    baseline = state.brief["baseline"]
    what = tried_text(state, e.code, e.config, "", baseline, 20) if e.purpose == "proposal" else plain(e.reason, 80)
    outcome, tone = _outcome(account, e)
    return Run(
        e.id, nested, e.proposer or "", what, number(e.predicted) if e.predicted is not None else "",
        number(e.metric) if e.metric is not None else "", _sigmas(by), outcome, tone,
    )  # fmt: skip


def _sigmas(by: float | None) -> str:
    return "" if by is None else f"{round(by, 1) + 0.0:+.1f}"


def _outcome(account: Account, e: Experiment) -> tuple[str, str]:
    if e.status == "failed":
        said = plain(account.logs.get(e.id) or e.detail, 160)
        kind = plain(e.failure or "unknown", 40).replace("_", " ")
        return f"failed ({kind}){f': {said}' if said else ''}", "bad"
    if e.status in ("stopped", "refused"):
        return f"{e.status}: {plain(e.detail, 160)}" if e.detail else e.status, "muted"
    if e.id in account.judged:
        judged = account.judged[e.id][1]
        if isinstance(judged, ev.ChampionChosen):
            return f"champion: {number(judged.metric)} confirmed on {count(judged.n, 'fresh seed')}", "good"
        return f"not confirmed: {plain(judged.because, 160)}", "muted"
    verdict = {"noise": "inside the noise"}.get(e.verdict or "", e.verdict or "")
    return (e.status if e.status != "ok" else verdict or "ok"), ""


def _tone(event: ev.Event) -> str:
    if isinstance(event, ev.ChampionChosen):
        return "good"
    if isinstance(event, (ev.AgentCoached, ev.AgentReplaced)) or (isinstance(event, ev.RunClosed) and event.failed):
        return "bad"
    return "muted" if isinstance(event, (ev.DirectiveGiven, ev.CandidateRejected, ev.ExperimentRefused)) else ""
