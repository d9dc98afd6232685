"""What a chart asks for that has no effect. Said wherever a chart is shown or checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from company.brain_kinds import MODEL_KINDS
from company.chart import OrgChart
from company.wording import plain


def notes(chart: OrgChart) -> tuple[str, ...]:
    """One sentence each; empty when everything in the chart acts."""
    return tuple(_notes(chart))


def simulated(charts: Iterable[OrgChart]) -> str:
    """What a person should know before charts with language models are simulated; "" where there are none."""
    brains = (who.effective_brain for chart in charts for who in (*chart.positions, *chart.talent))
    found = dict.fromkeys(str(brain.params["model"]) for brain in brains if brain.kind in MODEL_KINDS)
    models = ", ".join(plain(model, 40) for model in found)
    return f"no model is asked in simulations ({models}): their offline brains decide" if found else ""


def _notes(chart: OrgChart) -> Iterator[str]:
    limits = [name for name in ("tokens", "usd") if getattr(chart.budget, name) is not None]
    brains = [who.effective_brain.kind for who in (*chart.positions, *chart.talent)]
    if limits and not any(kind in MODEL_KINDS for kind in brains):
        yield f"budget.{' and budget.'.join(limits)} limits nothing: no brain of this chart is a language model"
