"""The company's notebook: what came of what was tried, and what agents noted, the part that bears on a task first.

Findings are read from the experiments, so that nobody has to write them down and nobody can embellish them. What an
agent may read follows the chart's communication. Relevance is the cosine of TF-IDF weights (Salton & Buckley 1988).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from company.code_words import code_words, edited
from company.entities import FINISHED, Agent, Experiment, Pending
from company.judging import mean
from company.state import State
from projects.spec import Config

TOKENS = 700  # that the notes of one decision may take
CHARACTERS = 4  # a token, about
ENTRIES = 400  # of the latest experiments that are looked at
HALF_LIFE = 30.0  # results after which an entry counts half as recent
RECENCY = 0.5  # of a fresh entry, beside a relevance of at most 1
LONGEST = 320  # characters of an entry
_WORD = re.compile(r"[A-Za-z_]{2,}|\d+\.\d+|\d{2,}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the notebook; `words` is what it is found by, `results` how many were in when it was made."""

    text: str
    words: Counter[str]
    results: int


def notes_for(state: State, agent: Agent, pending: Pending, tokens: int = TOKENS) -> tuple[str, ...]:
    """What of the notebook bears on a decision, most relevant and recent first, within a limit of tokens."""
    found = [*entries(state, agent.position, besides=pending.experiment)]
    return select(found, _query(state, agent, pending), len(state.results), tokens)


def entries(state: State, position: str, besides: str | None = None) -> Iterator[Entry]:
    """Everything that a position may read."""
    visible = state.visible_to(position)
    for experiment in list(state.experiments.values())[-ENTRIES:]:
        over = experiment.purpose == "proposal" and experiment.status in FINISHED
        if over and experiment.id != besides and experiment.position in visible:
            text = _line(f"tried {tried(state, experiment)}: {outcome(state, experiment)}")
            yield Entry(text, _words(f"{text} {_changed_lines(state, experiment)}"), _results_at(state, experiment))
    for note in state.notebook[-ENTRIES:]:
        if note.position in visible:
            text = _line(f"{note.agent} notes: {note.text}")
            yield Entry(text, _words(text), note.results)


def select(found: Sequence[Entry], query: str, now: int, tokens: int = TOKENS) -> tuple[str, ...]:
    """The entries that fit into `tokens`, best first: relevance to `query` plus recency at `now` results."""
    rarity = _rarity(found)
    asked = _weighted(_words(query), rarity)

    def worth(entry: Entry) -> float:
        age = max(0, now - entry.results)
        return _cosine(asked, _weighted(entry.words, rarity)) + RECENCY * 0.5 ** (age / HALF_LIFE)

    chosen: list[str] = []
    left = tokens * CHARACTERS
    for entry in sorted(found, key=worth, reverse=True):
        if len(entry.text) <= left and entry.text not in chosen:
            chosen.append(entry.text)
            left -= len(entry.text)
    return tuple(chosen)


def tried(state: State, experiment: Experiment) -> str:
    """What an experiment changed against the champion of its time, in words."""
    reference = _reference(state, experiment)
    before = reference.code if reference else ""
    changes = [code_words(state, experiment.code, before)]
    changes += [_changed(reference.config, experiment.config)] if reference else []
    reason = f' ("{experiment.reason}")' if experiment.reason and experiment.code != before else ""
    return (" with ".join(filter(None, changes)) or "the champion again") + reason + f", {experiment.id}"


def outcome(state: State, experiment: Experiment) -> str:
    """What came of it: the gain over the champion of its time in sigmas with a 95 % interval, or how it failed."""
    if experiment.metric is None:
        said = [line for line in experiment.detail.splitlines() if line.strip()]
        told = f": {said[-1].strip()[:120]}" if said else ""
        return f"{experiment.failure or experiment.status}{told}"
    reference = _reference(state, experiment)
    if reference is None:
        return f"{experiment.metric:.5g}"
    fresh = state.fresh_values(experiment.id)
    losses = [state.loss(value) for value in fresh or [experiment.metric]]
    known = [state.loss(value) for value in _values(state, reference)]
    unit = state.sigma if state.sigma > 0 else 1.0
    gain = (mean(known) - mean(losses)) / unit
    half = 1.96 * math.sqrt(1 / len(losses) + 1 / len(known)) if state.sigma > 0 else 0.0
    word = "sigma" if state.sigma > 0 else state.metric.unit or "better"
    interval = f" [{gain - half:+.1f}, {gain + half:+.1f}]" if half else ""
    ends = {"champion": ", became champion", "rejected": ", not confirmed", "replicating": ", being repeated"}
    return f"gain {gain:+.1f} {word}{interval} against {reference.id}{ends.get(experiment.standing, '')}"


def _reference(state: State, experiment: Experiment) -> Experiment | None:
    """The champion when the experiment was proposed: the first baseline run before there was another."""
    work = state.record.work.get(experiment.id)
    if work is not None and work.champion:
        return state.experiments[work.champion]
    return next((e for e in state.experiments.values() if e.purpose == "baseline"), None)


def _values(state: State, reference: Experiment) -> list[float]:
    if reference.purpose == "baseline":
        return state.baseline_values or [0.0]
    fresh = state.fresh_values(reference.id)
    return fresh or ([reference.metric] if reference.metric is not None else [0.0])


def _changed(before: Config, after: Config) -> str:
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    return ", ".join(f"{name} {before.get(name)} -> {value}" for name, value in changed.items())


def _changed_lines(state: State, experiment: Experiment) -> str:
    code = state.codes.get(experiment.code)
    return "" if code is None else "\n".join(line[1:] for line in edited(code.event.diff))


def _results_at(state: State, experiment: Experiment) -> int:
    """About how many results were in when it ended, by its number."""
    return min(len(state.results), int(experiment.id[1:]))


def _query(state: State, agent: Agent, pending: Pending) -> str:
    """What the decision is about, in words."""
    experiment = state.experiments.get(pending.experiment or "")
    if experiment is not None:
        failed = f"{experiment.failure or ''} {experiment.detail[-400:]}" if pending.task == "repair" else ""
        return f"{tried(state, experiment)} {experiment.reason} {_changed_lines(state, experiment)} {failed}"
    directive = agent.directive
    return f"{' '.join(directive.focus)} {directive.reason} {agent.turned_down}"


def _words(text: str) -> Counter[str]:
    return Counter(word.lower() for word in _WORD.findall(text[:20_000]))


def _rarity(found: Sequence[Entry]) -> dict[str, float]:
    """ln((1 + n) / (1 + entries with the word)): what all entries share finds none of them."""
    having = Counter(word for entry in found for word in entry.words)
    return {word: math.log((1 + len(found)) / (1 + count)) + 1e-9 for word, count in having.items()}


def _weighted(words: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    return {word: (1 + math.log(count)) * rarity[word] for word, count in words.items() if word in rarity}


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    shared = sum(weight * b[word] for word, weight in a.items() if word in b)
    if shared <= 0:
        return 0.0
    return shared / math.sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"
