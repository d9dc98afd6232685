"""Decisions about people and structure in words, with the numbers that their events carry. Others' text is cleaned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from company import events as ev
from company.wording import count, number, percent, plain, setting, signed

ORDERS = {"explore": "explore", "refine": "refine", "free": "do as it sees fit"}


def figure(evidence: Mapping[str, Any], name: str) -> float | None:
    """A finite number of an event's evidence, None where there is none."""
    value = evidence.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def interval(value: float, low: float, high: float) -> str:
    """`+0.42 (-0.10 to +0.94)`, a value with its 90 % interval."""
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def worth_words(evidence: Mapping[str, Any]) -> str:
    """What was known of an agent: worth, interval, results and P(under the replacement level); "" of other evidence."""
    worth, low, high = (figure(evidence, name) for name in ("worth", "low", "high"))
    if worth is None or low is None or high is None:
        return ""
    found = f"worth {interval(worth, low, high)} after {count(int(figure(evidence, 'n') or 0), 'result')}"
    level, p = figure(evidence, "level"), figure(evidence, "p_below")
    return found if level is None or p is None else f"{found}, P(under {signed(level, 2)}) {percent(p)}"


def expected_words(event: ev.AgentReplaced) -> str:
    """What was expected of a replacement, "" where nothing was."""
    expected = figure(event.evidence, "expected")
    return "" if expected is None else f"{event.hired} worth {expected:+.2f} a run over {event.leaving}"


def coaching_words(event: ev.AgentCoached) -> str:
    """What coaching changed in the agent: directive, settings of its brain, advice."""
    parts = [f"asked to {ORDERS.get(event.directive, plain(event.directive, 20))}"] if event.directive else []
    parts += [f"{plain(name, 40)} set to {setting(value)}" for name, value in event.params.items()]
    return ", ".join([*parts, *(["given advice"] if event.advice else [])])


def prediction_words(prediction: Mapping[str, Any]) -> str:
    """What a revision was to do, "" where nothing was predicted."""
    before, after, low, high = (figure(prediction, name) for name in ("before", "after", "low", "high"))
    if before is None or after is None or low is None or high is None:
        return ""
    unit = plain(prediction.get("unit", ""), 60)
    return f"{unit} from {number(before, 3)} to {number(after, 3)} ({number(low, 3)} to {number(high, 3)})"


def edits_words(edits: Sequence[Mapping[str, Any]]) -> str:
    """What a revision edits."""
    return ", ".join(edit_words(edit) for edit in edits) or "nothing"


def edit_words(edit: Mapping[str, Any]) -> str:
    """One edit; of a kind that is not known, its name."""
    tell = _EDITS.get(str(edit.get("kind")))
    named = {key: plain(setting(value), 60) for key, value in edit.items() if isinstance(value, (str, int, float))}
    return plain(tell(_Named(named)) if tell else str(edit.get("kind", "?")), 120)


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


_EDITS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "Move": lambda edit: f"move {edit['position']} under {edit['to']}",
    "SplitTeam": lambda edit: f"split the team of {edit['manager']}, {edit['into']} leads a part",
    "MergeTeams": lambda edit: f"{edit['keep']} takes over the team of {edit['close']}",
    "Promote": lambda edit: f"promote {edit['position']} to {edit['to']}",
    "Demote": lambda edit: f"{edit['position']} becomes a researcher",
    "AddPosition": lambda edit: f"add {edit['position']}, {edit['role']} under {edit['reports_to']}",
    "ClosePosition": lambda edit: f"close {edit['position']}",
    "SetPolicy": lambda edit: f"set {edit['key']} to {edit['value']}",
    "Restore": lambda edit: "set seats, people and policies as they are written",
}
