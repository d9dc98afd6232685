"""What a run has shown, in a terminal: one screen of 80 x 24 with the prompt. Agents' text is never markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
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

ROWS = 22  # of 24: the prompt and a line of the command come after
PEOPLE = 6
WON, WON_CHARACTERS = 6, 110  # changes of the champion's config, in two lines
STYLES = {"gain": "bold green", "none": "bold yellow", "loss": "bold red", "open": "bold blue", "failed": "bold red"}
Row = tuple[str, Text]


@dataclass(frozen=True, slots=True)
class ClosingWords:
    """The conclusion, the numbers, who did it and how to see more. The best come first, as many as have room."""

    head: RenderableType
    numbers: Sequence[Row]
    people: Sequence[str]
    changes: Sequence[Row]
    more: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        words = self._with(PEOPLE)
        for most in range(PEOPLE - 1, 0, -1):
            if len(console.render_lines(words, options, pad=False)) <= ROWS:
                break
            words = self._with(most)
        yield words

    def _with(self, most: int) -> Group:
        shown = [Text(record) for record in self.people[:most]]
        if len(self.people) > most:
            shown.append(Text(f"and {len(self.people) - most} more", "dim"))
        who = [*_labelled("researchers' worth", shown), *self.changes]
        return Group(self.head, *(part for rows in (self.numbers, who, self.more) if rows for part in _part(rows)))


def closing_words(account: Account) -> ClosingWords:
    """The report of a run for a terminal."""
    found, state = conclude(account.state, account.directory), account.state
    head, more = Text(f"\n{found.sentence}", STYLES[found.kind]), _more(account)
    if state.phase == "unfounded":
        return ClosingWords(head, (), (), (), more)
    return ClosingWords(head, _numbers(account), _people(state), _changes(account), more)


def _numbers(account: Account) -> list[Row]:
    state = account.state
    rows = [(fact.name, Text.assemble((fact.value, "bold"), f"  {fact.note}")) for fact in facts(account, short=True)]
    if state.champion and not champion_is_baseline(state):
        champion = state.champion
        tried = tried_text(state, champion.code, champion.config, "", state.brief["baseline"], WON)
        rows.append(("what won", Text(plain(tried, WON_CHARACTERS))))
    return rows


def _people(state: State) -> list[str]:
    researchers = [agent for agent in state.agents.values() if agent.role == "researcher"]
    ranked = sorted(researchers, key=lambda a: -(w.mean if (w := score(state, a)) else 0.0))
    return [_record(state, agent) for agent in ranked]


def _record(state: State, agent: Agent) -> str:
    worth, runs = score(state, agent), count(agent.experiments, "run")
    status = "" if agent.status == "active" else f", {agent.status}"
    value = f"{worth.mean:+.2f} ({worth.low:+.2f} to {worth.high:+.2f}) in {runs}" if worth else f"not known, {runs}"
    return f"{agent.id} ({plain(agent.brain.kind, 20)}{status}): {value}"


def _changes(account: Account) -> list[Row]:
    found = changes(account)
    replaced = next((change for change in reversed(found) if change.kind == "replacement"), None)
    counted = count_words(found)
    rows = [("changes", Text(counted))] if counted else []
    return rows if replaced is None else [*rows, ("last replacement", Text(replacement_words(replaced)))]


def _more(account: Account) -> list[Row]:
    """The page instead of the command that prints it, where there is one."""
    page, lines = account.directory / "report.html", [command for command, _ in commands(account)]
    if page.is_file():
        lines = [plain(page, 400) if line.startswith("loopworks report ") else line for line in lines]
    return _labelled("see more", [Text(line) for line in lines])


def _labelled(label: str, texts: Iterable[Text]) -> list[Row]:
    return [(label if index == 0 else "", text) for index, text in enumerate(texts)]


def _part(rows: Sequence[Row]) -> tuple[RenderableType, RenderableType]:
    """Rows below an empty line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=19)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label, "dim"), text)
    return Text(), table
