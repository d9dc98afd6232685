"""What coaching changes in a report: its directive, a setting of its brain, and what it is told.

A report that earns less than the replacement level proposes too far from what is known to work, whatever its brain:
it is asked to refine, with smaller steps where its brain has steps. Someone else's advice is for a language model.
"""

from __future__ import annotations

from collections.abc import Mapping

from roles.brains.offline import BRAINS
from roles.observation import ReportView

STEPS = ("step", "width")  # settings that say how far a brain goes from what it knows
SMALLER = 0.5


def smaller_steps(report: ReportView) -> Mapping[str, float]:
    """A report's brain with its steps halved, as far as the brain allows; nothing where it has no steps."""
    brain = BRAINS.get(report.brain)
    if brain is None:
        return {}
    now = {**brain.defaults(), **report.params}
    return {name: max(brain.settings[name].low, SMALLER * float(now[name])) for name in STEPS if name in brain.settings}


def advice(report: ReportView) -> str:
    """What a report on probation is told: what went wrong, in numbers, and what to do."""
    beaten = sum(outcome < 0.5 for outcome in report.outcomes)
    failed = f", {report.failed} of {report.experiments} runs failed" if report.failed else ""
    return (
        f"{beaten} of your {len(report.outcomes)} results were in the worse half of the record{failed}: "
        "stay near the champion, change less at a time, and read what colleagues found."
    )
