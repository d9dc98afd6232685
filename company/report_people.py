"""What a report says of people: scorecards, credit, and each change with what came of it. Plain, not yet escaped."""

from __future__ import annotations

from dataclasses import dataclass

from company.account import Account
from company.brain_words import brain_words
from company.changes import Change, changes_of
from company.credits import credits_of
from company.entities import Agent
from company.scorecard_words import cost_words, parts_words, score_words
from company.scorecards import Appraisal, appraise_everyone
from company.wording import count, number, plain, signed

ROLES = ("researcher", "manager", "reviewer", "engineer")
SCALE = "Scores come with their 90 % interval; at 0 is an average colleague, or one whose absence would change nothing."
STATUS = {"probation": "! on probation", "trial": "◔ on trial", "left": "× has left"}
UNCHANGED = "Nobody was coached, replaced or promoted, and the organisation stayed as it was."
CREDIT = (
    "Credited: the confirmed gains, in sigmas, in equal parts to the proposer, an engineer who repaired the run, a"
    " reviewer whose verdict had it repeated where the chart's screen would not have, and a manager whose directive it"
    " followed."
)
READING = (
    "Of a replacement, happened is the difference of the two worths as it is known now, with its 90 % interval: for a"
    " full-length run, and for all that were made since."
)


@dataclass(frozen=True, slots=True)
class Person:
    """One agent: `parts` are (name, words), what it cost among them."""

    id: str
    name: str
    brain: str
    status: str
    score: str
    n: str
    parts: list[tuple[str, str]]
    credited: str


@dataclass(frozen=True, slots=True)
class Group:
    """Everyone of one role, those who left last; scores are in `unit`."""

    role: str
    unit: str
    people: list[Person]


def groups(account: Account) -> list[Group]:
    """Everyone who was ever hired, by role."""
    state = account.state
    cards, gained = appraise_everyone(state), credits_of(state).gained
    found = []
    for role in ROLES:
        people = sorted((a for a in state.agents.values() if a.role == role), key=lambda a: a.status == "left")
        if people:
            rows = [_person(agent, cards[agent.id], gained[agent.id]) for agent in people]
            found.append(Group(role, cards[people[0].id].unit, rows))
    return found


def _person(agent: Agent, card: Appraisal, gained: float) -> Person:
    brain = brain_words(agent.brain.kind, agent.brain.params)
    name = plain(agent.name, 60) if agent.name != agent.id else ""
    return Person(
        agent.id, name, brain, STATUS.get(agent.status, agent.status), score_words(card), str(card.n),
        [*parts_words(card), ("cost", cost_words(card))], signed(gained) if gained else "",
    )  # fmt: skip


def changes(account: Account) -> list[Change]:
    """Each change of the run, with what was known, predicted, what happened and whether it was undone."""
    return changes_of(account.state, ((told.at, told.event) for told in account.story))


def count_words(found: list[Change]) -> str:
    """The changes in a few words, "" where there were none."""
    kinds = [change.kind for change in found]
    undone = sum(change.kind == "revision" and change.undone.startswith("at ") for change in found)
    parts = (
        f"{kinds.count('coaching')} put on probation" if "coaching" in kinds else "",
        f"{kinds.count('replacement')} replaced" if "replacement" in kinds else "",
        f"{count(kinds.count('revision'), 'revision')}, {undone} undone" if "revision" in kinds else "",
    )
    return ", ".join(part for part in parts if part)


def replacement_words(change: Change) -> str:
    """What a replacement came to, short enough for a terminal."""
    if "difference" not in change.figures:
        return f"{change.who} {change.what}: {change.happened}"
    value, low, high = (change.figures[name] for name in ("difference", "low", "high"))
    gave = f"{value:+.2f} a run ({low:+.2f} to {high:+.2f}), {number(change.figures['gave'], 3)} in all"
    return f"{change.who} {change.what}: {gave}{', taken back' if change.undone else ''}"
