"""The trainings of a recording by config: what repeats of one config say together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from company.surrogates.kernel import Array
from company.surrogates.recording import Recording, RecordingError, Row
from projects.spec import Config, config_hash
from roles.streams import stream

MOST_CONFIGS = 2500  # that predictions rest on: what a simulated training costs grows with them
FEWEST_CONFIGS = 8


@dataclass(frozen=True, slots=True)
class Group:
    """All trainings of one config. `losses` (n,) are those that gave a metric: smaller is better."""

    config: Config
    rows: tuple[Row, ...]
    losses: Array

    @property
    def failed(self) -> float:
        """The share that failed."""
        return 1 - len(self.losses) / len(self.rows)


def groups_of(recording: Recording) -> tuple[Group, ...]:
    """The rows by config, in order of appearance. Raises RecordingError where they are too few to interpolate."""
    found: dict[str, list[Row]] = {}
    for row in recording.rows:
        found.setdefault(config_hash(row.config), []).append(row)
    groups = [_group(rows, recording.metric.sign) for rows in found.values()]
    if len(groups) > MOST_CONFIGS:
        keep = np.sort(stream(0, "surrogate", "configs").permutation(len(groups))[:MOST_CONFIGS])
        groups = [groups[i] for i in keep]
    if (worked := sum(len(group.losses) > 0 for group in groups)) < FEWEST_CONFIGS:
        raise RecordingError(
            f"{recording.about.name}: {worked} configs have a metric, a surrogate needs at least {FEWEST_CONFIGS}:"
            " train more points"
        )
    return tuple(groups)


def _group(rows: list[Row], sign: float) -> Group:
    return Group(rows[0].config, tuple(rows), np.array([sign * row.metric for row in rows if row.metric is not None]))
