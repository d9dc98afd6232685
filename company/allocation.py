"""How well a manager divided the compute, and whether its directives were followed and paid. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from company.appraisal import Posterior, Z


@dataclass(frozen=True, slots=True)
class Split:
    """A division of compute, in worth a full-length run, judged with what is known in the end.

    `gain` over an equal split with its 90 % interval; `regret` against all of it on the best report (>= 0), and
    `equal_regret`, what an equal split would have forgone.
    """

    gain: float
    low: float
    high: float
    regret: float
    equal_regret: float


def judge_split(worths: Sequence[Posterior], used: Sequence[float]) -> Split:
    """Judge the compute that each report `used` by what each proved to be worth.

    Worths are posterior means, so that a lucky report of a few runs is no missed opportunity: hindsight is shrunk. Both
    sides are linear in the worths, so that the error that all share cancels. Nothing used, or nobody: all zeros.
    """
    total, n = sum(used), len(used)
    if n == 0 or total <= 0:
        return Split(0.0, 0.0, 0.0, 0.0, 0.0)
    shares = [amount / total for amount in used]
    means = [worth.mean for worth in worths]
    got, best, equal = sum(s * m for s, m in zip(shares, means, strict=True)), max(means), sum(means) / n
    own = [max(0.0, worth.sd**2 - worth.parts.get("shared", 0.0) ** 2) for worth in worths]
    error = math.sqrt(sum((s - 1 / n) ** 2 * variance for s, variance in zip(shares, own, strict=True)))
    gain = got - equal
    return Split(gain, gain - Z * error, gain + Z * error, max(0.0, best - got), best - equal)


@dataclass(frozen=True, slots=True)
class Compliance:
    """Directives by whether they were followed and whether the result improved on the field: the 2 x 2 of counts.

    Following and improving are two facts: `rate` says how often directives were followed, `difference` how much more
    often what followed one improved than what did not, with a 90 % interval (Agresti & Caffo 2000).
    """

    followed_improved: int
    followed_not: int
    other_improved: int
    other_not: int

    @property
    def n(self) -> int:
        return self.followed_improved + self.followed_not + self.other_improved + self.other_not

    @property
    def rate(self) -> float:
        """Share of directed experiments that did as asked, 0 where nobody was asked for anything."""
        return (self.followed_improved + self.followed_not) / self.n if self.n else 0.0

    def difference(self) -> tuple[float, float, float]:
        """P(improved | followed) - P(improved | not): value, low, high; one success and one failure added to each."""
        n1, n2 = self.followed_improved + self.followed_not + 2, self.other_improved + self.other_not + 2
        p1, p2 = (self.followed_improved + 1) / n1, (self.other_improved + 1) / n2
        half = Z * math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
        return p1 - p2, p1 - p2 - half, p1 - p2 + half


def compliance(followed: Sequence[bool], improved: Sequence[bool]) -> Compliance:
    """Count experiments that were asked for something: `followed[i]` and `improved[i]` of the i-th."""
    cells = [sum(f is a and i is b for f, i in zip(followed, improved, strict=True)) for a, b in _CELLS]
    return Compliance(*cells)


_CELLS = ((True, True), (True, False), (False, True), (False, False))

CLOSE = 0.25  # root mean square distance to the champion, over the parameters, within which a proposal refines it


def followed(
    directive: str,
    focus: Sequence[str],
    config: Mapping[str, object],
    champion: Mapping[str, object],
    unit: Sequence[float],
    champion_unit: Sequence[float],
) -> bool | None:
    """Whether a proposal did what a directive asked, given the champion of the time; None where nothing was asked.

    `refine` asks for a config near the champion, `explore` for one that is not, a focus for no change outside of it.
    `unit` and `champion_unit` are the two configs in the unit cube.
    """
    if directive == "free" and not focus:
        return None
    if focus and any(config[name] != champion.get(name) for name in config if name not in focus):
        return False
    if directive == "free":
        return True
    near = math.sqrt(sum((a - b) ** 2 for a, b in zip(unit, champion_unit, strict=True)) / len(unit)) <= CLOSE
    return near if directive == "refine" else not near
