"""What a run has shown, in a terminal: short enough for one screen of 80 x 24. Agents' text is never markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from company.account import Account
from company.code_words import tried_text
from company.conclusion import conclude
from company.entities import Agent
from company.report_people import changes, count_words, replacement_words
from company.report_rows import commands, facts
from company.standing import champion_is_baseline, score
from company.state import State
from company.wording import count, plain

PEOPLE = 6
STYLES = {"gain": "bold green", "none": "bold yellow", "loss": "bold red", "open": "bold blue", "failed": "bold red"}


def closing_words(account: Account) -> RenderableType:
    """The conclusion, the numbers, who did it and how to see more."""
    found = conclude(account.state)
    parts: list[RenderableType] = [Text(), Text(found.sentence, STYLES[found.kind]), Text()]
    if account.state.phase != "unfounded":
        parts += [_facts(account), Text(), _people(account), Text()]
    return Group(*parts, _more(account))


def _facts(account: Account) -> Table:
    table = _grid()
    for fact in facts(account):
        table.add_row(Text(fact.name, "dim"), Text.assemble((fact.value, "bold"), f"  {fact.note}"))
    if account.state.champion and not champion_is_baseline(account.state):
        champion, state = account.state.champion, account.state
        changes = tried_text(state, champion.code, champion.config, "", state.brief["baseline"], 12)
        table.add_row(Text("what won", "dim"), Text(changes))
    return table


def _people(account: Account) -> Table:
    table, state = _grid(), account.state
    researchers = [agent for agent in state.agents.values() if agent.role == "researcher"]
    ranked = sorted(researchers, key=lambda a: -(w.mean if (w := score(state, a)) else 0.0))
    for index, agent in enumerate(ranked[:PEOPLE]):
        table.add_row(Text("researchers" if index == 0 else "", "dim"), Text(_record(state, agent)))
    if len(ranked) > PEOPLE:
        table.add_row(Text(), Text(f"and {len(ranked) - PEOPLE} more", "dim"))
    found = changes(account)
    if counted := count_words(found):
        table.add_row(Text("changes", "dim"), Text(counted))
    replaced = next((change for change in reversed(found) if change.kind == "replacement"), None)
    if replaced is not None:
        table.add_row(Text("last replacement", "dim"), Text(replacement_words(replaced)))
    return table


def _record(state: State, agent: Agent) -> str:
    worth = score(state, agent)
    value = f", worth {worth.mean:+.2f} ({worth.low:+.2f} to {worth.high:+.2f})" if worth else ""
    status = "" if agent.status == "active" else f", {agent.status}"
    return f"{agent.id} ({plain(agent.brain.kind, 20)}): {count(agent.experiments, 'experiment')}{value}{status}"


def _more(account: Account) -> Table:
    table = _grid()
    lines: Iterable[tuple[str, str]] = commands(account)
    if (account.directory / "report.html").is_file():
        lines = [(plain(account.directory / "report.html", 400), "the full report"), *lines]
    for index, (command, _) in enumerate(lines):
        table.add_row(Text("see more" if index == 0 else "", "dim"), Text(command, no_wrap=True, overflow="fold"))
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=19)
    table.add_column(overflow="fold")
    return table
