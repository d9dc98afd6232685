"""What a batch shows, in one sentence, and no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from company.batch.contrasts import Contrast, Paired
from company.batch.power import ALPHA, need
from company.batch.resampling import Interval
from company.batch.rows import Arm
from company.wording import count, number


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better` and `worse` are beyond chance after correction; `same` is so in every world; `none` is anything else."""

    kind: Literal["better", "worse", "same", "none"]
    sentence: str
    arm: Arm | None = None
    against: Arm | None = None


def verdict(found: Contrast, of_arms: int, contrasts: int, projects: int) -> Verdict:
    """The best of `of_arms` arms against the reference; its p value was corrected for `contrasts` in all."""
    pair = found.paired
    who = f"{found.arm}, the best of {count(of_arms, 'arm')}," if of_arms > 1 else f"{found.arm}"
    if pair is None:
        return _nothing(found, f"no world was met by both {found.arm} and {found.against}")
    if pair.ties == pair.worlds:
        words = f"{who} makes no difference: it ends where {found.against} does in {_all(pair.worlds)}."
        return Verdict("same", words, found.arm, found.against)
    low, high = pair.interval
    if low is None or high is None:
        few = f"{count(pair.worlds, 'world')} of one seed a project give"
        return _nothing(found, f"{few} no interval for {found.arm} against {found.against}; 20 seeds or more would")
    if (low > 0 or high < 0) and pair.p_holm < ALPHA:
        kind = "better" if high < 0 else "worse"
        return Verdict(kind, f"{who} {_shown(found, pair, kind, low, high)}", found.arm, found.against)
    return _nothing(found, _undecided(found, pair, low, high, contrasts) + _more(pair, projects, contrasts))


def span(interval: Interval, digits: int = 3) -> str:
    """`0.01 to 0.2`, empty where there is none."""
    low, high = interval
    if low is None and high is None:
        return ""
    return f"{number(low, digits)} to {number(high, digits) if high is not None else 'any size'}"


def _all(worlds: int) -> str:
    return "the one world" if worlds == 1 else f"all {worlds} worlds"


def _shown(found: Contrast, pair: Paired, kind: str, low: float, high: float) -> str:
    ends = (low, high) if kind == "worse" else (-high, -low)
    word = "less" if kind == "better" else "more"
    times = f"; {number(pair.ratio, 3)} times its regret, {span(pair.ratio_interval)}" if pair.ratio else ""
    return (
        f"ends with {number(abs(pair.difference), 3)} {word} regret than {found.against}"
        f" (95 % interval {span(ends)} {word}{times}) over {count(pair.worlds, 'world')};"
        f" p = {number(pair.p_holm, 2)} after correction."
    )


def _undecided(found: Contrast, pair: Paired, low: float, high: float, contrasts: int) -> str:
    over = f"(95 % interval over {count(pair.worlds, 'world')})"
    if low > 0 or high < 0:
        word = "more" if low > 0 else "less"
        size = f"{span((low, high) if low > 0 else (-high, -low))} {word} regret than {found.against}"
        chance = f"p = {number(pair.p_holm, 2)} corrected for {count(contrasts, 'contrast')}"
        return f"{found.arm} ends with {size} {over}, but {chance}"
    return (
        f"the regret of {found.arm} may be up to {number(-low, 3)} lower than that of {found.against}, or up to"
        f" {number(high, 3)} higher {over}"
    )


def _more(pair: Paired, projects: int, contrasts: int) -> str:
    wanted = need(pair, projects, contrasts)
    if wanted is None:
        return "; the measured difference is 0, so that no number of seeds would tell them apart"
    if wanted.absurd:
        smallest = f"these would have shown one of {number(wanted.seen, 2)} or more"
        return f"; a difference as small as the measured one would take about {wanted.worlds} worlds, and {smallest}"
    size = f"if the true difference is the measured {number(pair.difference, 2)}"
    return f"; about {count(wanted.more_seeds, 'more seed')} would do {size}"


def _nothing(found: Contrast, why: str) -> Verdict:
    return Verdict("none", f"Nothing can be concluded: {why}.", found.arm, found.against)
