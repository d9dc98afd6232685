"""The charts that can be compared: as founded, after each revision, and the draft in the editor. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from company.chart import OrgChart
from company.chart_diff import diff_charts
from company.snapshot import Mark, Snapshot
from company.wording import plain
from tui.drafts import diff_lines
from tui.draw.ink import Line, line, wrap
from tui.draw.news import told
from tui.draw.page import heading
from tui.orders import revision_words

PEOPLE = frozenset(("AgentHired", "AgentReplaced", "TrialEnded", "AgentCoached"))
LATEST = 12  # changes of people that are listed


@dataclass(frozen=True, slots=True)
class Side:
    """A chart with a name, and what is to be said of how it came about."""

    name: str
    words: str
    chart: OrgChart


def sides(shot: Snapshot, founding: Mapping[str, Any] | None, draft: OrgChart | None) -> list[Side]:
    """What there is to compare, in order of time; the draft last, where it is another chart."""
    revisions = shot.state.revisions
    found = [Side("as founded", "", _chart(founding))] if founding else []
    for revised in revisions:
        event = revised.event
        state = ", undone" if revised.undone else f", {plain(revised.verdict, 40)}" if revised.verdict else ""
        because = plain(event.because, 300) or "no reason was given"
        words = f"by {event.by}{state}: {revision_words(event)}; because {because}"
        found.append(Side(f"revision {event.number}", words, _chart(event.chart)))
    found = found or [Side("in force", "", shot.state.chart)]
    return [*found, Side("the draft", "", draft)] if draft is not None and draft != found[-1].chart else found


def between(one: Side, other: Side, marks: Sequence[Mark], room: int) -> list[Line]:
    """What differs, how the later one came about, and who came and went of late."""
    never = [line(("the chart was never revised", "muted"))]
    lines = never if one is other else diff_lines(diff_charts(one.chart, other.chart), room, one.name)
    if other.words:
        lines += [*heading(other.name, room), *(line((words, "text")) for words in wrap(other.words, room, 6))]
    people = [mark for mark in marks if mark.kind in PEOPLE][-LATEST:]
    lines += [*heading("Who came, went and was coached", room), *told(reversed(people), room)] if people else []
    return lines


def _chart(data: Mapping[str, Any]) -> OrgChart:
    """A chart from a ledger. Raises ChartError for one that was altered."""
    return OrgChart.from_dict(dict(data))
