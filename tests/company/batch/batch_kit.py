"""Rows of made-up companies, with a known effect of each arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from company.batch.rows import Row

ARMS = {("startup", ""): 0.6, ("startup", "replace.rule=never"): 0.8, ("solo", ""): 1.0}


def row(chart: str, project: str, seed: int, regret: float | None, settings: str = "", **more: float) -> Row:
    """A company that ended with `regret`, or failed where it is None."""
    if regret is None:
        return Row(chart, project, settings, seed, "", "failed", {}, stage="engine", reason="<b>no</b> slot | left")
    trail = ((0.0, 1.0), (30.0, 0.5 + regret / 2), (90.0, regret))
    metrics = {"regret": regret, "best_found": regret * 0.9, "slot_seconds": 100.0, **more}
    return Row(chart, project, settings, seed, f"{seed:08x}", "ok", metrics, trail, {"best_found": trail})


def batch(
    seeds: int = 20, projects: int = 3, arms: Mapping[tuple[str, str], float] = ARMS, noise: float = 0.2, root: int = 0
) -> list[Row]:
    """Regret = the world's difficulty x the arm's factor x noise: worlds differ far more than arms."""
    rng = np.random.default_rng(root)
    found = []
    for project in range(projects):
        for seed in range(seeds):
            world = rng.lognormal(-2, 0.8)
            for (chart, settings), factor in arms.items():
                regret = float(world * factor * rng.lognormal(0, noise))
                found.append(row(chart, f"p{project}", seed, regret, settings, replacements=2.0, experiments=60.0))
    return found
