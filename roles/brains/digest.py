"""An observation as a short, bounded Markdown digest: what a language model reads before it decides.

Metrics are shown as the evaluator prints them (a loss turned back by `Metric.sign`). Whatever an agent or a training
log wrote is untrusted: one line of it is cut and stripped of control characters, several lines are fenced.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence

from projects.spec import Config, describe_range
from roles.intents import intents_for
from roles.observation import Champion, Observation, ReportView, Result, Subject

MAX_DIGEST = 12_000  # characters, about 3,000 tokens: whatever the company has grown to
MAX_LINE = 200
MAX_LOG = 2_000  # a traceback's end is what names the error
ROWS = 5  # best and last results shown
REPORTS = 30
PARAMETERS = 60
LONG_TASKS = ("propose", "review")  # the ones that cannot be decided without the search space
MAX_CODE = 48_000  # characters of training code, beside the rest of a digest: a patch must quote it exactly
MAX_DIFF = 6_000
MAX_NOTE = 340


def render(observation: Observation) -> str:
    """The digest, at most MAX_DIGEST characters: task, metric, champion, results, and what the decision is about.

    The training code, where a patch is taken, comes after it, in at most MAX_CODE more.
    """
    parts = [
        _head(observation),
        _champion(observation),
        _directive(observation) if observation.task == "propose" else "",
        _start(observation),
        _subject(observation, observation.subject) if observation.subject else "",
        _space(observation) if observation.task in LONG_TASKS else "",
        _reports(observation),
        _results(observation),
        _bullets("Notes", [one_line(note, MAX_NOTE) for note in observation.notes]),
    ]
    text = "\n\n".join(part for part in parts if part)
    text = text if len(text) <= MAX_DIGEST else text[: MAX_DIGEST - 8] + "\n… (cut)"
    return f"{text}\n\n{code}" if (code := _code(observation)) else text


def one_line(text: object, limit: int = MAX_LINE) -> str:
    """Untrusted text as one printable line of at most `limit` characters, without control or fence marks."""
    text = str(text)
    if len(text) <= limit and text.isprintable() and "  " not in text and "`" not in text:
        return text.strip()
    kept = " ".join(_printable(text[: 4 * limit]).split())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def fence(text: str, limit: int = MAX_LOG) -> str:
    """The last `limit` characters of untrusted lines, in a fence that they cannot close."""
    return "\n".join(["```untrusted", *map(_printable, text[-limit:].splitlines()), "```"])


def verbatim(text: str, language: str = "") -> str:
    """Untrusted lines as they are, in a fence longer than any that they hold."""
    marks = max((len(run) for run in re.findall(r"`+", text)), default=0)
    shown = "".join(c if c == "\n" or c == "\t" or c.isprintable() else " " for c in text)
    bars = "`" * max(3, marks + 1)
    return f"{bars}{language}\n{shown.rstrip(chr(10))}\n{bars}"


def _code(seen: Observation) -> str:
    """The files that a patch would change, as they are, and what a patch may do."""
    if not seen.code:
        return f"## Training code\n{seen.code_rules}" if seen.code_rules else ""
    files = [f"### {one_line(name, 80)}\n{verbatim(text, 'python')}" for name, text in seen.code.items()]
    text = "\n\n".join([f"## Training code\n{seen.code_rules}", *files])
    return text if len(text) <= MAX_CODE else text[: MAX_CODE - 12] + "\n````\n… (cut)"


def _printable(text: str) -> str:
    shown = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return shown.replace("```", "'''")


def _head(seen: Observation) -> str:
    tools = ", ".join(intent.kind() for intent in intents_for(seen.task))
    better = "smaller" if seen.metric.direction == "min" else "larger"
    unit = f" ({seen.metric.unit})" if seen.metric.unit else ""
    return "\n".join([
        f"# Task: {seen.task}",
        f"You are {one_line(seen.agent, 60)}, {seen.role}. Answer with tool calls only: {tools}.",
        *([f"Mission: {one_line(seen.mission, 500)}"] if seen.mission else []),
        f"Metric: {seen.metric.name}{unit}, {better} is better. "
        f"Noise between seeds: sigma {seen.sigma:.4g}. Research budget spent: {seen.spent:.0%}.",
    ])  # fmt: skip


def _champion(seen: Observation) -> str:
    champion = seen.champion
    if champion is None:
        return f"## Baseline (no champion yet)\n{_config(seen, seen.baseline)}"
    metric = _metric(seen, champion.loss)
    name = one_line(champion.experiment, 40)
    return f"## Champion\n{name}: {metric}, mean of {champion.runs} runs. {_config(seen, champion.config)}"


def _directive(seen: Observation) -> str:
    asked = seen.directive
    focus = f", focus on {one_line(', '.join(asked.focus))}" if asked.focus else ""
    reason = f"\nYour manager's reason: {one_line(asked.reason)}" if asked.reason else ""
    return f"## Directive\n{asked.kind}{focus}{reason}"


def _start(seen: Observation) -> str:
    if seen.start is None:
        return ""
    origin = f" (did well before: {one_line(seen.start_origin)})" if seen.start_origin else ""
    return f"## To be tried first{origin}\n{_config(seen, seen.start)}"


def _subject(seen: Observation, subject: Subject) -> str:
    changed = _against(seen, subject.config, subject.code)
    facts = [
        f"- proposed by {one_line(subject.proposer or 'the company', 60)}: {changed}",
        f"- steps {subject.steps}, cost {subject.cost:.3g} s on a slot, attempt {subject.attempt}, device {seen.device}"
        + (f", micro batch {subject.micro_batch}" if subject.micro_batch else ""),
    ]
    if subject.predicted is not None:
        facts.append(f"- predicted {seen.metric.name}: {subject.predicted:.5g}")
    if subject.loss is not None:
        facts.append(f"- measured {seen.metric.name}: {_metric(seen, subject.loss)}")
    if subject.failure:
        facts.append(f"- failed: {one_line(subject.failure)}")
    if subject.curve:
        facts.append(f"- training loss at shares of the budget: {_curve(subject.curve)}")
    text = f"## Experiment {one_line(subject.experiment, 40)}\n" + "\n".join(facts)
    if subject.reason:
        text += "\n\nThe proposer's reason:\n" + fence(subject.reason, 600)
    if subject.diff:
        cut = subject.diff if len(subject.diff) <= MAX_DIFF else subject.diff[:MAX_DIFF] + "\n… (cut)"
        text += "\n\nIts change of the training code:\n" + verbatim(cut, "diff")
    if subject.log_tail:
        text += "\n\nEnd of the log:\n" + fence(subject.log_tail)
    return text


def _space(seen: Observation) -> str:
    shown = seen.space.parameters[:PARAMETERS]
    rows = [f"{p.name} ({p.kind}) {one_line(describe_range(p), 120)} {one_line(p.about, 80)}".rstrip() for p in shown]
    return _bullets("Search space", rows)


def _reports(seen: Observation) -> str:
    return _bullets("Your reports", [_report(seen, report) for report in seen.reports[:REPORTS]])


def _report(seen: Observation, report: ReportView) -> str:
    best = "none" if report.best is None else _metric(seen, report.best)
    mean = f"{sum(report.outcomes) / len(report.outcomes):.2f}" if report.outcomes else "unknown"
    text = (
        f"{one_line(report.agent, 60)} ({report.role}, {one_line(report.brain, 40)}, {report.status}): "
        f"share {report.share:.2f}, {report.experiments} experiments, {report.failed} failed, best {best}, "
        f"mean rank {mean}, worth {report.worth:.3g} [{report.low:.3g}, {report.high:.3g}] "
        f"from {report.evidence} results, P(below) {report.p_below:.2f}"
    )
    text += ", can be replaced" if report.replaceable else ""
    return text + (f"; says: {one_line(report.digest)}" if report.digest else "")


def _results(seen: Observation) -> str:
    measured = [result for result in seen.history if result.loss is not None]
    best = heapq.nsmallest(ROWS, measured, key=lambda result: result.loss or 0.0)
    sections = [_table(seen, f"Best of {len(measured)} results", best)]
    sections.append(_table(seen, "Last results", seen.history[-ROWS:]))
    if seen.pending:
        sections.append(f"Under way: {len(seen.pending)} experiments.")
    return "\n\n".join(section for section in sections if section)


def _table(seen: Observation, title: str, results: Sequence[Result]) -> str:
    if not results:
        return ""
    rows = [f"| experiment | by | {seen.metric.name} | cost, s | against the champion |", "|---|---|---|---|---|"]
    for result in results:
        outcome = result.failure or result.status if result.loss is None else _metric(seen, result.loss)
        cells = (result.experiment, result.proposer or "company", outcome, f"{result.cost:.3g}")
        cut = [one_line(cell, 40).replace("|", "/") for cell in cells]
        rows.append("| " + " | ".join([*cut, _against(seen, result.config, result.code).replace("|", "/")]) + " |")
    return f"## {title}\n" + "\n".join(rows)


def _bullets(title: str, rows: Iterable[str]) -> str:
    text = "\n".join(f"- {row}" for row in rows)
    return f"## {title}\n{text}" if text else ""


def _metric(seen: Observation, loss: float) -> str:
    return f"{seen.metric.sign * loss:.5g}"


def _against(seen: Observation, config: Config, code: str) -> str:
    """Only what differs from the champion (or the baseline): what a reader compares."""
    reference = _reference(seen.champion, seen.baseline)
    changed = {name: value for name, value in config.items() if reference.get(name) != value}
    other = code != (seen.champion.code if seen.champion else "")
    words = [f"code {one_line(code, 20) or 'of the project'}"] if other else []
    return " ".join([*words, _config(seen, changed)] if changed else words) or "nothing changed"


def _reference(champion: Champion | None, baseline: Config) -> Config:
    return champion.config if champion else baseline


def _config(seen: Observation, config: Config) -> str:
    """In the space's order: a ledger keeps configs in another."""
    return one_line(" ".join(f"{name}={config[name]}" for name in seen.space.names if name in config), 600)


def _curve(curve: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{at:.0%} {loss:.4g}" for at, loss in curve[-8:])
