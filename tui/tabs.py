"""The tabs that exist, in their order; a tab's module is imported when it is first opened."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.screens.view import View

TABS: dict[str, tuple[str, str, str]] = {
    "org": ("Org", "tui.screens.org", "OrgView"),
    "experiments": ("Experiments", "tui.screens.experiments", "ExperimentsView"),
    "agents": ("Agents", "tui.screens.agents", "AgentsView"),
    "slots": ("Slots", "tui.screens.slots", "SlotsView"),
    "timeline": ("Timeline", "tui.screens.timeline", "TimelineView"),
    "chart": ("Chart", "tui.screens.chart", "ChartView"),
    "batch": ("Batch", "tui.screens.batch", "BatchView"),
}
TITLES = {name: title for name, (title, _, _) in TABS.items()}


def make(name: str) -> View:
    """A new view of a tab."""
    _, module, kind = TABS[name]
    return getattr(importlib.import_module(module), kind)(id=name)
