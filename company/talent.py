"""What a candidate is expected to give, from its records of earlier runs: a normal model of talent and fit. Pure.

    worth on a project = talent + fit,   talent ~ N(0, SHARED P^2),   fit ~ N(0, (1 - SHARED) P^2) on each project

with P the spread of worths before anything is known. A record is a posterior that was shrunk toward 0 once: what was
measured is recovered from it by taking that prior out, so that nothing is shrunk twice and records add up. A single
record therefore counts in full on its own project and by SHARED on another, and no record at all is ignorance: 0, the
role's mean. Variance components: Searle, Casella & McCulloch (1992), ch. 7.

Not covered: a worth is measured against the colleagues of that run, so that a record made among strong colleagues says
less than the candidate is worth; records that rest on the same experiments count twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from company.appraisal import PRIOR_SD, Z
from company.chart import Talent, TalentRecord

SHARED = 0.5  # of that variance is talent, which goes along to another project: half is an assumption, not measured
TALENT, FIT = SHARED * PRIOR_SD**2, (1 - SHARED) * PRIOR_SD**2
LEAST_SD = 0.01  # nobody is known better, whatever a file says


def expectation(talent: Talent, project: str) -> float:
    """The expected worth of a candidate on a project, in compressed sigmas a full-length run; 0 without a record."""
    measured = dict(_measured(talent.record))
    here_precision, here_pull = measured.pop(project, (0.0, 0.0))
    precision, pull = 1 / TALENT, 0.0
    for known, told in measured.values():  # the fit to each other project is integrated out
        precision += known / (1 + known * FIT)
        pull += told / (1 + known * FIT)
    variance = 1 / precision + FIT  # of the worth here, by what is known from elsewhere
    return (pull / precision / variance + here_pull) / (1 / variance + here_precision)


def _measured(records: Sequence[TalentRecord]) -> Mapping[str, tuple[float, float]]:
    """By project: the precision of all that was measured there, and its mean times that precision.

    An interval wider than the prior's has no precision of its own, and its mean counts the less the wider it is.
    """
    found: dict[str, tuple[float, float]] = {}
    for record in records:
        variance = max((record.high - record.low) / (2 * Z), LEAST_SD) ** 2
        precision, pull = found.get(record.project, (0.0, 0.0))
        own = max(0.0, 1 / variance - 1 / PRIOR_SD**2)
        found[record.project] = (precision + own, pull + record.worth / variance)
    return found
