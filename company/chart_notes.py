"""What a chart asks for that this release accepts but does not carry out. Said wherever a chart is shown or checked."""

from __future__ import annotations

from collections.abc import Iterator

from company.chart import OrgChart

_LATER = "is accepted, but acts from a later release"


def notes(chart: OrgChart) -> tuple[str, ...]:
    """One sentence each; empty when everything in the chart acts."""
    return tuple(_notes(chart))


def _notes(chart: OrgChart) -> Iterator[str]:
    spent = [name for name in ("tokens", "usd") if getattr(chart.budget, name) is not None]
    if spent:
        yield f"budget.{' and budget.'.join(spent)} {_LATER}: the built-in brains use no language model"
