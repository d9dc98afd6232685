"""What may be concluded from a batch: arms, contrasts, curves and a verdict, all from plain rows.

Definitions, formulas and sources: docs/statistics.md. The order of rows changes nothing; the same seed of the bootstrap
gives the same digits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from company.batch.contrasts import Contrast, contrast, corrected
from company.batch.profiles import Curve, profile, profile_grid, progress, progress_grid
from company.batch.resampling import Statistic
from company.batch.rows import AGENTS, CHAMPION, FOUND, Arm, Failure, Row, RowsError, World, by_arm, failures, regrets
from company.batch.summaries import Summary, summarise
from company.batch.verdict import Verdict, verdict
from company.wording import count

SHOWN = 6  # arms that are named in a note
FEW = 20  # seeds a project below which an interval is shown with a warning


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that a report says of a batch. `summaries` and `contrasts` are sorted, best arm first.

    Contrasts are of every arm against `reference`; `curves` are the profile, then what trails were kept of; `notes`
    say in whole sentences what a reader must know.
    """

    statistic: Statistic
    seed: int
    rows: int
    projects: tuple[str, ...]
    reference: Arm
    controls: frozenset[Arm]
    summaries: tuple[Summary, ...]
    contrasts: tuple[Contrast, ...]
    curves: tuple[Curve, ...]
    failures: tuple[Failure, ...]
    verdict: Verdict
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, no NaN; without the curves."""
        return {
            "verdict": self.verdict.kind,
            "sentence": self.verdict.sentence,
            "statistic": self.statistic,
            "reference": asdict(self.reference),
            "arms": [{**asdict(each), "control": each.arm in self.controls} for each in self.summaries],
            "contrasts": [asdict(each) for each in self.contrasts],
            "failures": [asdict(each) for each in self.failures],
            "notes": list(self.notes),
        }


def analyse(
    rows: Iterable[Row], controls: Collection[Arm] = (), reference: Arm | None = None, *,
    statistic: Statistic = "iqm", seed: int = 0, curves: bool = True,
) -> Analysis:  # fmt: skip
    """Everything about the rows of at least one company. Raises RowsError for rows that cannot be compared.

    `reference` is what every arm is compared with: the best of the controls where none is named, without controls the
    best arm of all but the best. `statistic` is `iqm` or `mean`.
    """
    given = list(rows)
    arms = by_arm(given)
    if not arms:
        raise RowsError("there are no rows to compare")
    if reference is not None and reference not in arms:
        raise RowsError(f"no row is of the reference {reference}: there is {', '.join(str(arm) for arm in arms)}")
    summaries = sorted((summarise(arm, mine, seed, statistic) for arm, mine in arms.items()), key=_rank)
    against = reference or _reference([each.arm for each in summaries], controls)
    order = [each.arm for each in summaries if each.arm != against]
    contrasts = corrected([contrast(arms[arm], arms[against], seed, statistic) for arm in order])
    projects = tuple(sorted({row.project for row in given}))
    return Analysis(
        statistic, seed, len(given), projects, against, frozenset(controls) & frozenset(arms), tuple(summaries),
        contrasts, tuple(_curves(arms, statistic, seed)) if curves else (), failures(given),
        _verdict(contrasts, controls, against, len(projects)),
        (*_notes(arms, summaries, contrasts, controls), *(() if reference else _chosen(contrasts, controls, against))),
    )  # fmt: skip


def _rank(summary: Summary) -> tuple[bool, float, Arm]:
    return summary.estimate is None, summary.estimate or 0.0, summary.arm


def _reference(ranked: list[Arm], controls: Collection[Arm]) -> Arm:
    """`ranked` is not empty, best first."""
    return next((arm for arm in ranked if arm in controls), ranked[min(1, len(ranked) - 1)])


def _verdict(contrasts: tuple[Contrast, ...], controls: Collection[Arm], against: Arm, projects: int) -> Verdict:
    """The best arm that is no control; the best control where there are only controls.

    Where it is like the reference in every world, the best that is not is judged too: against both, then.
    """
    if not contrasts:
        return Verdict("none", f"Nothing can be concluded: {against} is the only arm, compared with nothing.")
    candidates = [each for each in contrasts if each.arm not in controls] or list(contrasts)
    best = verdict(candidates[0], len(candidates), len(contrasts), projects)
    others = (each for each in candidates if not (each.paired and each.paired.ties == each.paired.worlds))
    if best.kind != "same" or (second := next(others, None)) is None:
        return best
    then = verdict(second, 1, len(contrasts), projects).sentence.replace("Nothing can", "nothing can", 1)
    return replace(best, sentence=f"{best.sentence} As for the next, {then}")


def _curves(arms: Mapping[Arm, Mapping[World, Row]], statistic: Statistic, seed: int) -> Iterable[Curve]:
    values, seconds = profile_grid(arms), progress_grid(arms)
    some = {arm: rows for arm, rows in arms.items() if any(row.regret is not None for row in rows.values())}
    yield from (profile(arm, rows, values, seed) for arm, rows in some.items())
    for of in (CHAMPION, FOUND, AGENTS):
        drawn = (progress(arm, rows, seconds, of, seed, statistic) for arm, rows in some.items())
        yield from (curve for curve in drawn if curve is not None)


def _alike(arms: Mapping[Arm, Mapping[World, Row]]) -> Iterable[str]:
    groups: dict[tuple[tuple[World, float], ...], list[Arm]] = {}
    for arm, rows in arms.items():
        if found := regrets(rows):
            groups.setdefault(tuple(found.items()), []).append(arm)
    for group in groups.values():
        if len(group) > 1:
            more = f"; and {len(group) - SHOWN} more" if len(group) > SHOWN else ""
            yield f"The same regret in every world have: {'; '.join(map(str, group[:SHOWN]))}{more}."


def _chosen(contrasts: Sequence[Contrast], controls: Collection[Arm], against: Arm) -> Iterable[str]:
    others = sum(each.arm in controls and each.paired is not None for each in contrasts)
    if against in controls and others:
        best = f"The reference is the best of {others + 1} controls by these outcomes"
        yield f"{best}: picked for that, it looks a little better than it is."


def _notes(
    arms: Mapping[Arm, Mapping[World, Row]], summaries: list[Summary], contrasts: tuple[Contrast, ...],
    controls: Collection[Arm],
) -> Iterable[str]:  # fmt: skip
    seeds = [len({seed for _, seed in rows}) for rows in arms.values()]
    if min(seeds) < 2:
        yield "An arm with one seed has no interval: how far another seed would be from it is unknown."
    elif min(seeds) < FEW:
        yield f"With {count(min(seeds), 'seed')} intervals are approximate: {FEW} or more are better."
    failed = sum(each.failed for each in summaries)
    if failed:
        of = sum(len(rows) for rows in arms.values())
        bias = "an arm that fails where it would have done badly looks better than it is"
        yield f"{failed} of {count(of, 'run')} failed and left no regret: {bias}."
    if any(each.left_out for each in contrasts):
        left = max(each.left_out for each in contrasts)
        yield f"A world that one arm of a contrast has no regret in is left out of it: {left} at most in a contrast."
    if len(contrasts) > 1:
        yield f"p values are corrected for all {len(contrasts)} contrasts (Holm); each interval stands for itself."
    yield from _alike(arms)
    if not set(controls) & set(arms):
        yield "No control was run: run one agent alone, replacement at random and no replacement beside the others."
