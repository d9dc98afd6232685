"""Who sees whose results in the networks of published models: real charts, asked as a company asks them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from company.chart import OrgChart
from company.search import Sight

AHEAD = 19  # colleagues that each sees in the lattice of Barkoczi & Galesic


def matrix(people: int, network: str) -> NDArray[np.bool_]:
    """Row i, column j: whether researcher i sees researcher j (not itself). Raises KeyError for an unknown network."""
    chart = _chart(people, network)
    names = chart.by_role("researcher")
    index = {name: i for i, name in enumerate(names)}
    sees = np.zeros((people, people), dtype=bool)
    for i, name in enumerate(names):
        sees[i, [index[other] for other in chart.visible_to(name) - {name} if other in index]] = True
    return sees


def sight(people: int, network: str) -> Sight:
    """The same as lists."""
    return Sight.of([np.flatnonzero(row).tolist() for row in matrix(people, network)])


def _chart(people: int, network: str) -> OrgChart:
    names = [f"r{n}" for n in range(people)]
    positions = [{"id": "ada", "role": "manager"}]
    positions += [{"id": name, "role": "researcher", "reports_to": "ada"} for name in names]
    return OrgChart.from_dict(
        {"company": network, "communication": _communication(names, network), "positions": positions}
    )


def _communication(names: Sequence[str], network: str) -> Any:
    match network:
        case "complete" | "ring" | "solo":
            return network
        case "line":
            return {"edges": list(pairwise(names))}
        case "wheel":
            hub, *rim = names
            spokes = [(hub, name) for name in rim]
            return {"edges": [*spokes, *zip(rim, [*rim[1:], rim[0]], strict=True)]}
        case "lattice":
            twice = [*names, *names]
            return {
                "edges": [(name, twice[i + k]) for i, name in enumerate(names) for k in range(1, AHEAD + 1)],
                "directed": True,
            }
        case _:
            raise KeyError(network)
