"""What to train for a recording: a space-filling design with replicates, the same for whoever asks for it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from projects.spec import Config, SearchSpace, config_hash
from roles.streams import stream

REPLICATED = 3  # one point in so many is trained with several seeds
BASELINES = 10  # seeds of the baseline
FIRST_POWER, MOST_POWER = 6, 20  # of two: draws at first, and before a small space counts as used up


@dataclass(frozen=True, slots=True)
class Trial:
    """One training to do: `point` numbers the configs of the design (-1 the baseline), `replicate` their seeds."""

    point: int
    replicate: int
    config: Config
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        return config_hash(self.config), self.seed


def design(space: SearchSpace, baseline: Config, points: int, seeds: int, root: int) -> list[Trial]:
    """The baseline, then `points` distinct configs of a scrambled Sobol sequence (Sobol 1967, Owen 1998).

    Every third one has `seeds` seeds, the others one. A longer design begins with the points of a shorter one. There
    are fewer points where the space has fewer configs.
    """
    trials = [_trial(root, -1, r, baseline) for r in range(max(BASELINES, seeds))]
    for point, config in enumerate(_distinct(space, baseline, points, root)):
        trials += [_trial(root, point, r, config) for r in range(seeds if point % REPLICATED == 0 else 1)]
    return trials


def _trial(root: int, point: int, replicate: int, config: Config) -> Trial:
    seed = int(stream(root, config_hash(config), "recording", replicate).integers(2**31))
    return Trial(point, replicate, config, seed)


def _distinct(space: SearchSpace, baseline: Config, points: int, root: int) -> Iterator[Config]:
    seen = {config_hash(baseline)}
    for unit in _sobol(len(space.parameters), root):
        config = space.decode(unit.tolist())
        name = config_hash(config)
        if len(seen) > points:
            return
        if name not in seen:
            seen.add(name)
            yield config


def _sobol(dimensions: int, root: int) -> Iterator[np.ndarray]:
    from scipy.stats import qmc

    sampler = qmc.Sobol(dimensions, scramble=True, rng=stream(root, "recording", "sobol"))
    yield from sampler.random_base2(FIRST_POWER)
    for power in range(FIRST_POWER, MOST_POWER):  # as many again: the sequence stays balanced
        yield from sampler.random_base2(power)
