"""What a chart asks for that has no effect. Said wherever a chart is shown or checked."""

from __future__ import annotations

from collections.abc import Iterator

from company.brain_kinds import MODEL_KINDS
from company.chart import OrgChart


def notes(chart: OrgChart) -> tuple[str, ...]:
    """One sentence each; empty when everything in the chart acts."""
    return tuple(_notes(chart))


def _notes(chart: OrgChart) -> Iterator[str]:
    limits = [name for name in ("tokens", "usd") if getattr(chart.budget, name) is not None]
    brains = [who.effective_brain.kind for who in (*chart.positions, *chart.talent)]
    if limits and not any(kind in MODEL_KINDS for kind in brains):
        yield f"budget.{' and budget.'.join(limits)} limits nothing: no brain of this chart is a language model"
