"""A cost table from the JSON that `loopworks project calibrate` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from projects.read_space import is_number
from projects.spec import CostTable

NO_COSTS = CostTable(version=0, machine="not calibrated", keys=(), base={})


def read_costs(text: bytes | str) -> CostTable:
    """A cost table from its JSON; raises ValueError, KeyError or TypeError when it is not one."""
    found = json.loads(text)
    if not found["base"]:
        raise ValueError("no shape was measured")
    factors = {name: _seconds(values) for name, values in found.get("factors", {}).items()}
    return CostTable(
        version=int(found["version"]),
        machine=str(found["machine"]),
        keys=tuple(found["keys"]),
        base=_seconds(found["base"]),
        factors=factors,
        overhead=float(found["overhead"]),
        evaluation_keys=tuple(found.get("evaluation_keys", ())),
        evaluation=_seconds(found.get("evaluation", {})),
    )


def _seconds(found: Mapping[str, Any]) -> dict[str, float]:
    for name, value in found.items():
        if not (is_number(value) and value > 0):
            raise ValueError(f"{name} costs {value!r}")
    return {str(name): float(value) for name, value in found.items()}
