"""The report of a run as Markdown, for pull requests and notes. Everything that is not ours is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from company.account import Account
from company.conclusion import conclude
from company.markdown_text import line, part
from company.model_costs import HEADS, HEADS_OF_EXPERIMENTS, cost_rows, dear
from company.report_people import CREDIT, READING, SCALE, UNCHANGED, changes, groups
from company.report_rows import commands, decisions, facts, provenance, references, runs, settings
from company.state import State


def markdown(account: Account) -> str:
    """The whole report."""
    return "\n".join(_lines(account)) + "\n"


def _lines(account: Account) -> Iterator[str]:
    state = account.state
    founded, name = state.phase != "unfounded", state.brief.get("name")
    yield f"# {line(f'{state.chart.company} on {name}') if founded else 'A company'}"
    yield ""
    yield f"**{part(conclude(state, account.directory).sentence)}**"
    if not founded:
        return
    yield from _table("", ("", "", ""), ((f.name, f.value, f.note) for f in facts(account)))
    yield from _company(account)
    yield from _people(account)
    if account.models.total.decisions:
        yield from _table("What the models took", HEADS, cost_rows(account.models))
        yield from _table("The experiments that took most of it", HEADS_OF_EXPERIMENTS, dear(account.models))
    yield from _changes(account)
    yield from _table("Decisions", ("time", "about", "what"), ((d.at, d.topic, d.words) for d in decisions(account)))
    if state.champion:
        yield from _table("The champion's config", ("parameter", "baseline", "champion"), settings(state))
    if state.brief.get("references"):
        yield from _table("Yardsticks", ("yardstick", "value", "champion"), references(state))
    heads = ("experiment", "by", "what", "expected", "measured", "sigmas", "outcome")
    rows = (
        (f"↳ {r.id}" if r.nested else r.id, r.who, r.what, r.expected, r.metric, r.sigmas, r.outcome)
        for r in runs(account)
    )
    yield from _table("Experiments", heads, rows)
    yield from _table("What this is bound to", ("", ""), provenance(account))
    yield from ("", "## See more", "")
    yield from (f"    {command}" for command, _ in commands(account))


def _company(account: Account) -> Iterator[str]:
    yield from ("", "## The company", "")
    yield from _tree(account.state, account.state.chart.root, 0)


def _people(account: Account) -> Iterator[str]:
    yield from ("", "## People")
    heads = ("agent", "brain", "status", "score (90 % interval)", "n", "parts", "credited")
    for group in groups(account):
        yield from ("", f"**{group.role.capitalize()}s**, score in {part(group.unit)}:")
        rows = (
            (p.id, p.brain, p.status, p.score, p.n, "; ".join(": ".join(part) for part in p.parts), p.credited)
            for p in group.people
        )
        yield from _table("", heads, rows)
    yield from ("", f"{SCALE} {CREDIT}")


def _changes(account: Account) -> Iterator[str]:
    found = changes(account)
    if not found:
        yield from ("", "## Changes", "", UNCHANGED)
        return
    heads = ("time", "what", "by", "known", "predicted", "happened", "undone")
    rows = (
        (
            f"{c.at:.1f}",
            f"{c.who} {c.what}",
            f"{c.by}: {c.because}".removesuffix(": "),
            c.known,
            c.predicted,
            c.happened,
            c.undone or "no",
        )
        for c in found
    )
    yield from _table("Changes", heads, rows)
    yield from ("", READING)


def _tree(state: State, position: str, depth: int) -> Iterator[str]:
    agent = state.agent_at(position)
    yield f"{'  ' * depth}- **{part(agent.id)}** {part(agent.role)}, {part(agent.name)}"
    for report in state.filled(state.chart.reports(position)):
        yield from _tree(state, report, depth + 1)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield ""
    if title:
        yield from (f"## {title}", "")
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(part(cell) for cell in row)} |"
