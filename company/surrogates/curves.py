"""Learning curves of simulated runs: the curve of the nearest recorded config, brought to where this run ends.

Curves are modelled as logarithms where all losses are above 0. A training loss moves with the metric as it did over
the recorded configs (a line), and wobbles about that at each rung as the seeds of that config did, or those of the
typical one: a few configs are unstable, and their wobble is not the others'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from company.surrogates.groups import Group
from company.surrogates.kernel import Array
from company.surrogates.model import Surrogate
from company.surrogates.recording import RUNGS, Curve, Row
from company.surrogates.scale import Scale
from company.surrogates.world import normals

FEWEST = 3  # curves, to say how a training loss moves with the metric
TYPICAL = 2  # degrees of freedom that the typical config's wobble counts for beside a config's own


class Curves:
    """`of` gives the curve of one run; there are none where none were recorded."""

    def __init__(self, surrogate: Surrogate) -> None:
        self._groups = surrogate.groups
        kept = [[row.curve for row in group.rows if _counts(row)] for group in surrogate.groups]
        every = [value for curves in kept for curve in curves for value in curve or () if value is not None]
        self._log = bool(every) and min(every) > 0
        losses = np.concatenate([group.losses for group in surrogate.groups])
        self._scale = Scale("log" if (losses > 0).all() else "plain")
        self._metrics = [self._scale.onto(_at_curves(group, surrogate)) for group in surrogate.groups]
        self._shapes = [self._onto(curves).mean(axis=0) if curves else None for curves in kept]
        self._middles = [float(z.mean()) if len(z) else 0.0 for z in self._metrics]
        have = [i for i, shape in enumerate(self._shapes) if shape is not None]
        self._slope = self._line(have)
        self._wobbles = self._spreads({i: self._onto(kept[i]) for i in have if len(kept[i]) > 1})
        self._usual = self._usual_shape(have)

    def of(self, nearest: int, loss: float, seed: int) -> tuple[float, ...]:
        """The training loss at RUNGS of a run whose metric as a loss is given; empty without curves."""
        shape, middle = self._shapes[nearest], self._middles[nearest]
        if shape is None:
            if self._usual is None:
                return ()
            shape, middle = self._usual
        end = math.log(loss) if self._scale.kind == "log" else loss
        shift, luck = self._slope * (end - middle), normals(seed, b"recorded curve")
        moved = [at + shift + sd * n for at, sd, n in zip(shape, self._wobbles[nearest], luck, strict=True)]
        return tuple(map(math.exp, moved) if self._log else moved)

    def _onto(self, curves: list[Curve | None]) -> Array:
        found = np.array(curves, dtype=float)
        return np.log(found) if self._log else found

    def _line(self, have: list[int]) -> float:
        """How far the last training loss moves with the metric: the slope of least squares over configs."""
        if len(have) < FEWEST:
            return 0.0
        x = np.array([self._middles[i] for i in have])
        y = np.array([shape[-1] for i in have if (shape := self._shapes[i]) is not None])
        x = x - x.mean()
        return float(x @ y / (x @ x)) if x.any() else 0.0

    def _spreads(self, repeated: Mapping[int, Array]) -> list[list[float]]:
        """Standard deviation at each rung between the seeds of each config, (configs, 8).

        Two or three seeds say little: their variance is drawn toward that of the typical config (Smyth 2004), which is
        the median over configs, brought to the variance of which a chi-squared one is the median.
        """
        from scipy.special import chdtri

        found, freedom = {}, {i: len(curves) - 1 for i, curves in repeated.items()}
        for i, curves in repeated.items():
            rest = curves - self._slope * (self._metrics[i] - self._middles[i])[:, None]
            found[i] = rest.var(axis=0, ddof=1)
        medians = [found[i] * n / chdtri(n, 0.5) for i, n in freedom.items()]
        typical = np.median(medians, axis=0) if medians else np.zeros(len(RUNGS))
        own = {i: (TYPICAL * typical + n * found[i]) / (TYPICAL + n) for i, n in freedom.items()}
        return [np.sqrt(own.get(i, typical)).tolist() for i in range(len(self._groups))]

    def _usual_shape(self, have: list[int]) -> tuple[list[float], float] | None:
        if not have:
            return None
        shapes = [shape for i in have if (shape := self._shapes[i]) is not None]
        return np.mean(shapes, axis=0).tolist(), float(np.mean([self._middles[i] for i in have]))


def _counts(row: Row) -> bool:
    """Whether a run has a metric and a whole curve."""
    return row.metric is not None and row.curve is not None and None not in row.curve


def _at_curves(group: Group, surrogate: Surrogate) -> Array:
    """The metrics, as losses, of those runs of a config that have a whole curve."""
    sign = surrogate.recording.metric.sign
    found = [sign * row.metric for row in group.rows if row.metric is not None and _counts(row)]
    return np.array(found)
