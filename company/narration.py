"""What happened, in plain words: one line an event, the same on the console, in reports and on the dashboard.

The state is the one after the event (or after the step that it belongs to). Lines are plain text of one line without
control characters, and never markup: whoever shows them escapes them for where they go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from company import events as ev
from company.change_words import ORDERS, coaching_words, edits_words, expected_words, worth_words
from company.code_words import code_words, tried_text
from company.conclusion import of_holdout
from company.standing import better_by, champion_metric
from company.state import State
from company.wording import count, number, percent, plain

# What someone who looks on wants to see as it happens; the rest is told in reports.
_NOTABLE = frozenset(
    (
        ev.RunFounded, ev.AgentReplaced, ev.TrialEnded, ev.AgentCoached, ev.ExperimentRefused, ev.AttemptFailed,
        ev.NoiseMeasured, ev.ChampionChosen, ev.CandidateRejected, ev.ResearchEnded, ev.HoldoutMeasured,
        ev.RunClosed, ev.VerdictGiven,
        ev.CommandAnswered, ev.ChartRevised, ev.RevisionChecked, ev.ApprovalAsked, ev.ApprovalGiven,
        ev.AgentPaused, ev.AgentReturned, ev.ModelBudgetSpent, ev.ExperimentPatched, ev.RepairRefused,
    )
)  # fmt: skip


def narrate(state: State, event: ev.Event) -> str | None:
    """One line about an event, None for what is only bookkeeping."""
    tell = _TELL.get(type(event))
    line = tell(state, event) if tell else None
    return plain(line, 400) if line else None


def notable(state: State, event: ev.Event) -> bool:
    """Whether an onlooker should be told at once."""
    if isinstance(event, ev.ExperimentCreated):
        return event.purpose == "proposal"
    if isinstance(event, ev.ExperimentFinished):
        return event.status != "ok" or state.experiments[event.experiment].purpose == "proposal"
    if isinstance(event, ev.VerdictGiven):
        return event.outcome == "promising"
    return type(event) in _NOTABLE


def said(event: ev.AttemptFailed | ev.ExperimentFinished) -> str:
    """What a failed run said last, empty where it said nothing."""
    lines = [line for line in str(event.measured.get("log", "")).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _founded(state: State, event: ev.RunFounded) -> str:
    where = f"{count(event.slots, 'slot')} ({plain(event.device, 40)})"
    company, project = event.chart.get("company"), event.project.get("name")
    level = f", sandbox: {plain(event.measured['sandbox'], 20)}" if "sandbox" in event.measured else ""
    return f"{plain(company, 60)} is founded to work on {plain(project, 60)}, seed {event.seed}, {where}{level}"


def _hired(state: State, event: ev.AgentHired) -> str | None:
    if state.phase == "founding" or event.because == "the chart's founding hire":
        return None
    return f"{event.agent} ({event.role}, {_brain(event.brain)}) is hired: {_why(event.because)}"


def _replaced(state: State, event: ev.AgentReplaced) -> str:
    cost = event.evidence.get("trial_cost", 0.0)
    trial = f", on trial for {count(event.trial, 'proposal')} ({number(cost)} slot-seconds)" if event.trial else ""
    known = "; ".join(filter(None, (worth_words(event.evidence), _expects(expected_words(event)))))
    told = f"{event.by} replaces {event.leaving} with {event.hired}{trial}"
    return f"{told}{_because(event.because)}{f'; {known}' if known else ''}"


def _expects(words: str) -> str:
    return f"expects {words}" if words else ""


def _trial_ended(state: State, event: ev.TrialEnded) -> str:
    told = f"{event.hired} has passed its trial" if event.passed else f"{event.leaving} goes, {event.hired} is back"
    return f"{told}{_because(event.because)}"


def _coached(state: State, event: ev.AgentCoached) -> str:
    help = coaching_words(event)
    target = f"{_why(event.target)}{f'; {help}' if help else ''}"
    return f"{event.by} puts {event.agent} on probation: {target}{_because(event.because)}"


def _appraised(state: State, event: ev.AgentAppraised) -> str:
    worth = f"worth {event.worth:+.2f} ({event.low:+.2f} to {event.high:+.2f}"
    evidence = f"{worth}, {count(event.evidence, 'run')})"
    return f"{event.by} appraises {event.agent}: {event.outcome}, {evidence}{_because(event.because)}"


def _decided(state: State, event: ev.DecisionMade) -> str | None:
    if not event.problem:
        return None
    return f"{event.agent} could not {event.task} ({_why(event.problem)}): its offline policy decided"


def _directed(state: State, event: ev.DirectiveGiven) -> str | None:
    if not state.produces(state.agents[event.agent].position):
        return None
    focus = f" {', '.join(plain(name, 40) for name in event.focus)}" if event.focus else ""
    order = ORDERS.get(event.directive, "go on")
    asked = f"{order} with{focus}" if event.directive == "free" and focus else f"{order}{focus}"
    return f"{event.manager} asks {event.agent} to {asked}, share {percent(event.share)}{_because(event.reason)}"


def _digest(state: State, event: ev.DigestSent) -> str:
    return f"{event.manager} reports{f' to {event.to}' if event.to else ''}: {_why(event.text)}"


def _dropped(state: State, event: ev.ProposalDropped) -> str:
    return f"a proposal of {event.agent} is dropped: {_why(event.detail)}"


def _created(state: State, event: ev.ExperimentCreated) -> str:
    if event.purpose != "proposal":
        return f"{event.experiment} is queued: {_why(event.reason)}"
    reference = state.champion.config if state.champion else state.brief["baseline"]
    before = state.champion.code if state.champion else ""
    expects = f" (expects {number(event.predicted)})" if event.predicted is not None else ""
    what = tried_text(state, event.code, event.config, before, reference)
    why = _because(event.reason) if event.code != before else ""
    return f"{event.proposer} proposes {event.experiment}: {what}{why}{expects}"


def _patched(state: State, event: ev.ExperimentPatched) -> str:
    what = code_words(state, event.code) or "the project's own code"
    return f"{event.engineer} repairs {event.experiment}: {what}{_because(event.reason)}"


def _repair_refused(state: State, event: ev.RepairRefused) -> str:
    return f"a repair of {event.experiment} by {event.engineer} is not run: {_why(event.detail)}"


def _noted(state: State, event: ev.NoteWritten) -> str:
    return f"{event.agent} notes: {_why(event.text)}"


def _reviewed(state: State, event: ev.ReviewGiven) -> str:
    word = "approves" if event.approve else "turns down"
    return f"{event.reviewer} {word} {event.experiment}{_because(event.reason)}"


def _refused(state: State, event: ev.ExperimentRefused) -> str:
    return f"{event.experiment} is not run{_because(event.reason)}"


def _queued(state: State, event: ev.ExperimentQueued) -> str | None:
    if event.attempt == 1:
        return None
    micro = f" in micro-batches of {event.micro_batch}" if event.micro_batch else ""
    return f"{event.engineer or 'the company'} runs {event.experiment} again{micro}{_because(event.reason)}"


def _attempt_failed(state: State, event: ev.AttemptFailed) -> str:
    return f"{event.experiment} failed ({_kind(event.failure)}){_because(said(event))}"


def _finished(state: State, event: ev.ExperimentFinished) -> str:
    experiment = state.experiments[event.experiment]
    whose = f"{event.experiment} of {experiment.proposer}" if experiment.proposer else event.experiment
    if event.status == "stopped":
        return f"{whose} is stopped early{_because(event.detail)}"
    if event.status != "ok":
        return f"{whose} failed ({_kind(event.failure)}){_because(said(event) or event.detail)}"
    return f"{whose} measures {number(event.metric)}{_against_champion(state, event)}"


def _against_champion(state: State, event: ev.ExperimentFinished) -> str:
    champion = state.champion
    if champion is None or champion.experiment == event.experiment or state.phase == "closing":
        return ""
    by = better_by(state, event.metric, champion_metric(state))
    if by is None:
        return ""
    return f", {abs(by):.1f} sigma {'better' if by > 0 else 'worse'} than the champion"


def _verdict(state: State, event: ev.VerdictGiven) -> str:
    experiment = state.experiments[event.experiment]
    by = None if event.outcome == "failed" else better_by(state, experiment.metric, champion_metric(state))
    said = by is None or "sigma" in event.reason
    gain = "" if said else f" ({by:+.1f} sigma)"
    word = {"noise": "inside the noise"}.get(event.outcome, event.outcome)
    return f"{event.reviewer} finds {event.experiment} {word}{gain}{_because(event.reason)}"


def _noise(state: State, event: ev.NoiseMeasured) -> str:
    seeds = count(event.n, "seed")
    return f"the baseline is {number(event.mean)}, its noise (sigma) {number(event.sigma, 2)} over {seeds}"


def _champion(state: State, event: ev.ChampionChosen) -> str:
    if event.n == 0:
        return f"{event.experiment} becomes champion on one run: {number(event.metric)}"
    seeds = count(event.n, "fresh seed")
    claimed = f", claimed {number(event.claimed)}"
    return f"{event.experiment} is confirmed on {seeds}: champion with {number(event.metric)}{claimed}"


def _rejected(state: State, event: ev.CandidateRejected) -> str:
    return f"{event.experiment} is not confirmed{_because(event.because)}"


def _revised(state: State, event: ev.ChartRevised) -> str:
    back = f" takes back revision {event.undoes}" if event.undoes else f": {plain(edits_words(event.edits), 160)}"
    told = f"revision {event.number} by {event.by}"
    return f"{told}{back}{_because(event.because)}"


def _checked(state: State, event: ev.RevisionChecked) -> str:
    return f"revision {event.number} {plain(event.verdict, 40)}{_because(event.because)}"


def _structure(state: State, event: ev.StructureReviewed) -> str | None:
    return None if event.outcome == "nothing to change" else f"{event.by} looks at the structure: {_why(event.outcome)}"


def _asked(state: State, event: ev.ApprovalAsked) -> str:
    whom = plain(event.args.get("agent", event.args.get("subject", "")), 60)
    return f"{event.request} waits for a person: {event.by} wants to {event.action} {whom}{_because(event.because)}"


def _given(state: State, event: ev.ApprovalGiven) -> str:
    return f"{event.request} is {'approved' if event.approved else 'refused'} by {event.by}{_because(event.because)}"


def _answered(state: State, event: ev.CommandAnswered) -> str:
    verdict = "" if event.done else ", which is refused"
    return f"{event.by} asks for '{event.action}'{verdict}: {_why(event.answer)}"


def _ended(state: State, event: ev.ResearchEnded) -> str:
    return f"research ends: {_why(event.reason)}; the holdout is measured now"


def _holdout(state: State, event: ev.HoldoutMeasured) -> str:
    return of_holdout(state, event).sentence


def _closed(state: State, event: ev.RunClosed) -> str:
    return f"the company {'could not work' if event.failed else 'closes'}: {_why(event.reason)}"


def _why(text: str) -> str:
    return plain(text, 160).rstrip(".")


def _because(text: str) -> str:
    return f": {_why(text)}" if _why(text) else ""


def _kind(failure: str | None) -> str:
    return plain(failure or "unknown", 40).replace("_", " ")


def _brain(brain: Any) -> str:
    return plain(brain.get("kind", "?") if isinstance(brain, dict) else brain, 40)


def _equipped(state: State, event: ev.HarnessVersioned) -> str:
    return f"{event.agent} works by version {event.version} of its instructions ({event.hash}): {event.because}"


def _paused(state: State, event: ev.AgentPaused) -> str:
    return f"{event.agent} is paused, its model does not answer: {event.because}"


def _returned(state: State, event: ev.AgentReturned) -> str:
    return f"{event.agent} is back: its model answers again"


def _models_spent(state: State, event: ev.ModelBudgetSpent) -> str:
    return f"no model is asked any more: {event.because}"


_TELL: dict[type[ev.Event], Callable[[State, Any], str | None]] = {
    ev.RunFounded: _founded,
    ev.AgentHired: _hired,
    ev.AgentReplaced: _replaced,
    ev.TrialEnded: _trial_ended,
    ev.AgentCoached: _coached,
    ev.AgentAppraised: _appraised,
    ev.DecisionMade: _decided,
    ev.DirectiveGiven: _directed,
    ev.DigestSent: _digest,
    ev.ProposalDropped: _dropped,
    ev.ExperimentCreated: _created,
    ev.ReviewGiven: _reviewed,
    ev.ExperimentRefused: _refused,
    ev.ExperimentQueued: _queued,
    ev.AttemptFailed: _attempt_failed,
    ev.ExperimentFinished: _finished,
    ev.VerdictGiven: _verdict,
    ev.NoiseMeasured: _noise,
    ev.ChampionChosen: _champion,
    ev.CandidateRejected: _rejected,
    ev.ChartRevised: _revised,
    ev.RevisionChecked: _checked,
    ev.StructureReviewed: _structure,
    ev.ApprovalAsked: _asked,
    ev.ApprovalGiven: _given,
    ev.CommandAnswered: _answered,
    ev.ResearchEnded: _ended,
    ev.HoldoutMeasured: _holdout,
    ev.RunClosed: _closed,
    ev.ExperimentPatched: _patched,
    ev.RepairRefused: _repair_refused,
    ev.NoteWritten: _noted,
    ev.HarnessVersioned: _equipped,
    ev.AgentPaused: _paused,
    ev.AgentReturned: _returned,
    ev.ModelBudgetSpent: _models_spent,
}
