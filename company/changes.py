"""Every decision about people and structure, and what came of it: known, predicted, happened, undone. Pure.

A fold of events beside the state: what was known and predicted is what the events say of that moment, what happened is
what the company knows now. Nobody is appraised by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from company import events as ev
from company.appraisal import difference
from company.change_words import (
    coaching_words,
    edits_words,
    expected_words,
    figure,
    interval,
    prediction_words,
    worth_words,
)
from company.payoff import LEAST
from company.scorecards import appraise
from company.state import State
from company.wording import count, percent, plain, signed

AS_A_CHANGE = ("replace", "edit", "chart", "undo")  # commands that are told as the change which they made
EVENTS = (
    ev.AgentReplaced, ev.TrialEnded, ev.AgentCoached, ev.AgentAppraised, ev.ChartRevised, ev.RevisionChecked,
    ev.ApprovalAsked, ev.ApprovalGiven, ev.CommandAnswered,
)  # fmt: skip
BOOKKEEPING = ("order", "reference")  # of a revision's evidence
NOBODY_TO_COMPARE = ("manager",)  # whose split is judged by the seat, whoever sat there

Moment = tuple[float, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A change in words of one line each, at its company time; a field is "" where there is nothing to say.

    `kind`: replacement, trial, coaching, revision, undo, approval or command. `who` it is about, `what` was done and
    `because` of what; `undone` says by which later event. `figures` are the numbers behind the words.
    """

    at: float
    kind: str
    by: str
    who: str
    what: str
    because: str
    known: str = ""
    predicted: str = ""
    happened: str = ""
    undone: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


def changes_of(state: State, events: Iterable[Moment]) -> list[Change]:
    """The changes among a company's events, in order. `events` are (company time, event) up to `state`, those of no
    concern here may be left out."""
    story = _Story(state, [moment for moment in events if isinstance(moment[1], EVENTS)])
    return [
        change
        for index, (at, event) in enumerate(story.moments)
        if (tell := _TELL.get(type(event))) and (change := tell(story, index, at, event))
    ]


class _Story:
    """The moments in order, by what later ones are looked up by."""

    def __init__(self, state: State, moments: Sequence[Moment]) -> None:
        self.state, self.moments = state, moments
        self.over = state.phase in ("closing", "closed")
        self.appraisals: dict[str, list[tuple[int, float, ev.AgentAppraised]]] = defaultdict(list)
        self.left: dict[str, list[tuple[int, float, ev.AgentReplaced]]] = defaultdict(list)
        self.hired: dict[str, ev.AgentReplaced] = {}
        self.trials: dict[str, tuple[float, ev.TrialEnded]] = {}  # by who was tried
        self.checks: dict[int, ev.RevisionChecked] = {}
        self.undone: dict[int, tuple[float, ev.ChartRevised]] = {}
        self.asked: dict[str, ev.ApprovalAsked] = {}
        for index, (at, event) in enumerate(moments):
            self._keep(index, at, event)

    def _keep(self, index: int, at: float, event: Any) -> None:
        if isinstance(event, ev.AgentAppraised):
            self.appraisals[event.agent].append((index, at, event))
        elif isinstance(event, ev.AgentReplaced):
            self.left[event.leaving].append((index, at, event))
            self.hired[event.hired] = event
        elif isinstance(event, ev.TrialEnded):
            self.trials[event.hired if event.passed else event.leaving] = at, event
        elif isinstance(event, ev.RevisionChecked):
            self.checks[event.number] = event
        elif isinstance(event, ev.ChartRevised) and event.undoes is not None:
            self.undone[event.undoes] = at, event
        elif isinstance(event, ev.ApprovalAsked):
            self.asked[event.request] = event

    def too_early(self, words: str) -> str:
        """Nothing can be said yet, or ever."""
        return f"never known: {words} when the research ended" if self.over else f"too early: {words}"


def _replaced(story: _Story, index: int, at: float, event: ev.AgentReplaced) -> Change:
    trial = f", on trial for {count(event.trial, 'proposal')}" if event.trial else ""
    happened, figures = _gave(story, event.hired, event.leaving)
    expected = figure(event.evidence, "expected")
    figures |= {} if expected is None else {"expected": expected}
    known = worth_words(event.evidence) or f"no worth is measured for {_role(story.state, event.leaving)}"
    return Change(
        at, "replacement", event.by, event.leaving, f"replaced by {event.hired}{trial}", _why(event.because), known,
        expected_words(event) or "nothing", happened, _sent_back(story, event), figures,
    )  # fmt: skip


def _sent_back(story: _Story, event: ev.AgentReplaced) -> str:
    at, ended = story.trials.get(event.hired, (0.0, None))
    if ended is not None and not ended.passed:
        return f"at {at:.1f}: {ended.hired} is back, {event.hired} did not pass its trial"
    return ""


def _gave(story: _Story, hired: str, leaving: str) -> tuple[str, dict[str, float]]:
    """What a hire was worth over who left, a run and over all of its runs, and the numbers of it."""
    state = story.state
    if _role(state, leaving) != "a researcher":
        return _beside(story, hired, leaving), {}
    n, needed = state.record.evidence(hired), state.chart.policies.appraise.after
    if n < needed:
        return story.too_early(f"{n} of {count(needed, 'result')} of {hired}"), {}
    if not state.record.evidence(leaving):
        return f"unknown: {leaving} had no result to compare with", {}
    found = difference(state.record.scores, hired, leaving)
    runs = sum(score.weight for score in state.record.scores if score.agent == hired)
    figures = {"difference": found.mean, "low": found.low, "high": found.high, "runs": runs, "gave": runs * found.mean}
    gave = interval(runs * found.mean, runs * found.low, runs * found.high)
    words = f"{hired} worth {interval(found.mean, found.low, found.high)} a run over {leaving}"
    return f"{words}; over its {runs:.1f} full-length runs {gave} compressed sigmas", figures


def _beside(story: _Story, hired: str, leaving: str) -> str:
    """Two of a role without a model of worth: their scores, side by side."""
    state = story.state
    new, old = state.agents[hired], state.agents[leaving]
    if new.role != old.role or new.role in NOBODY_TO_COMPARE:
        return "not measured: nothing compares the two"
    one, other = appraise(state, hired), appraise(state, leaving)
    if one.n < (needed := state.chart.policies.appraise.after):
        return story.too_early(f"{one.n} of {count(needed, 'case')} of {hired}")
    scores = (interval(each.score, each.low, each.high) for each in (one, other))
    return f"{hired} {next(scores)} beside {next(scores)} of {leaving}, {one.unit}"


def _trial(story: _Story, index: int, at: float, event: ev.TrialEnded) -> Change:
    tried, other = (event.hired, event.leaving) if event.passed else (event.leaving, event.hired)
    p = figure(event.evidence, "p_better")
    better = "" if p is None else f"P({tried} is worth more than {other}) {percent(p)}"
    known = ", ".join(filter(None, (worth_words(event.evidence), better)))
    replaced = story.hired.get(tried)
    what = "passed its trial" if event.passed else f"did not pass its trial, {other} is back"
    happened, figures = _gave(story, tried, other)
    return Change(
        at, "trial", event.by, tried, what, _why(event.because), known,
        expected_words(replaced) if replaced else "", happened, "", figures | ({} if p is None else {"p_better": p}),
    )  # fmt: skip


def _coached(story: _Story, index: int, at: float, event: ev.AgentCoached) -> Change:
    earlier = [each for i, _, each in story.appraisals[event.agent] if i < index]
    known = _appraised(earlier[-1]) if earlier else ""
    due = (earlier[-1].evidence if earlier else 0) + event.experiments
    changed = coaching_words(event)
    return Change(
        at, "coaching", event.by, event.agent, f"put on probation{f': {changed}' if changed else ''}",
        _why(event.because), known, _why(event.target), _probation(story, index, event, due), "",
        {"level": event.level},
    )  # fmt: skip


def _appraised(event: ev.AgentAppraised) -> str:
    found = {"worth": event.worth, "low": event.low, "high": event.high, "n": event.evidence}
    return worth_words({**found, "level": event.level, "p_below": event.p_below})


def _probation(story: _Story, index: int, event: ev.AgentCoached, due: int) -> str:
    """Whether the target was met, by the first appraisal at which it was due."""
    later = (each for i, _, each in story.appraisals[event.agent] if i > index and each.evidence >= due)
    judged = next(later, None)
    gone = next((moment for moment in story.left[event.agent] if moment[0] > index), None)
    if judged is None:
        have = story.state.record.evidence(event.agent)
        words = f"not yet judged: {have} of {count(due, 'result')}"
        if gone is not None:
            return f"{words} when it was replaced at {gone[1]:.1f}"
        left = story.state.agents[event.agent].status == "left"
        return f"{words} when its seat was closed" if left else story.too_early(words)
    target = f"{signed(event.level, 2)} was asked for"
    met = "target met" if judged.worth >= event.level else "target missed"
    return f"{met}: {_appraised(judged)}, {target}; {_OUTCOMES.get(judged.outcome, plain(judged.outcome, 20))}"


_OUTCOMES = {"keep": "kept", "coach": "coached again", "replace": "to be replaced"}


def _revised(story: _Story, index: int, at: float, event: ev.ChartRevised) -> Change:
    undoes = event.undoes is not None
    what = f"takes back revision {event.undoes}" if undoes else edits_words(event.edits)
    figures = {
        f"predicted_{name}": value
        for name in ("before", "after", "low", "high") if (value := figure(event.prediction, name)) is not None
    }  # fmt: skip
    check = story.checks.get(event.number)
    if check is not None:
        figures |= {
            name: value for name in ("measured", "low", "high") if (value := figure(check.found, name)) is not None
        }
    return Change(
        at, "undo" if undoes else "revision", event.by, f"revision {event.number}", plain(what, 240),
        _why(event.because), _evidence(event.evidence), prediction_words(event.prediction) or "nothing",
        _checked(story, event, check), _taken_back(story, event, check), figures,
    )  # fmt: skip


def _evidence(evidence: Mapping[str, Any]) -> str:
    """The plain numbers of a revision's evidence by their names."""
    told = [name for name in evidence if name not in BOOKKEEPING]
    known = {name: value for name in told if (value := figure(evidence, name)) is not None}
    return plain(", ".join(f"{plain(name, 30).replace('_', ' ')} {value:.3g}" for name, value in known.items()), 240)


def _checked(story: _Story, event: ev.ChartRevised, check: ev.RevisionChecked | None) -> str:
    if check is not None:
        return f"{plain(check.verdict, 20)}: {_why(check.because)}"
    if event.check_after == 0:
        return "held against nothing"
    revised, needed = story.state.revisions[event.number - 1], max(event.check_after, LEAST)
    if revised.undone:
        return "taken back before it was checked"
    return story.too_early(f"{story.state.proposals_finished - revised.at} of {count(needed, 'experiment')} since")


def _taken_back(story: _Story, event: ev.ChartRevised, check: ev.RevisionChecked | None) -> str:
    at, later = story.undone.get(event.number, (0.0, None))
    if later is not None:
        return f"at {at:.1f} by {later.by}, revision {later.number}"
    return "no, although it did not pay" if check is not None and check.verdict == "did not pay" else ""


def _approved(story: _Story, index: int, at: float, event: ev.ApprovalGiven) -> Change:
    asked = story.asked.get(event.request)
    subject = asked.args.get("agent", asked.args.get("subject", "")) if asked else ""
    wanted = f": {asked.by} wanted to {plain(asked.action, 40)} {plain(subject, 60)}".rstrip() if asked else ""
    happened = "told as the change it led to" if event.approved else "nothing was done"
    return Change(
        at, "approval", event.by, event.request, f"{'approved' if event.approved else 'refused'}{wanted}",
        _why(event.because), _why(asked.because) if asked else "", "nothing", happened,
    )  # fmt: skip


def _commanded(story: _Story, index: int, at: float, event: ev.CommandAnswered) -> Change | None:
    """A person's act of its own; what it changed about people and structure has a line already."""
    subject = str(event.args.get("experiment", ""))
    if event.action in AS_A_CHANGE or subject in story.asked or not event.done:
        return None
    return Change(
        at, "command", event.by, plain(subject, 60) or "the company", plain(event.action, 40),
        "a person's decision", "", "nothing", _why(event.answer),
    )  # fmt: skip


def _role(state: State, agent: str) -> str:
    """The role in which somebody was replaced: a researcher's worth stays, whatever it does now."""
    known = state.agents[agent]
    role = "researcher" if "researcher" in known.former else known.role
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"


def _why(text: str) -> str:
    return plain(text, 240).rstrip(".")


_TELL: dict[type[ev.Event], Callable[[_Story, int, float, Any], Change | None]] = {
    ev.AgentReplaced: _replaced,
    ev.TrialEnded: _trial,
    ev.AgentCoached: _coached,
    ev.ChartRevised: _revised,
    ev.ApprovalGiven: _approved,
    ev.CommandAnswered: _commanded,
}
