"""The JSON schema of a chart, generated from the model, so that editors complete and explain."""

from __future__ import annotations

import json
from typing import Any

from company.brain_kinds import BRAIN_KINDS


def brain_schema() -> dict[str, Any]:
    """A bare word or a mapping with `kind`; the built-in kinds are offered, others stay possible (entry points)."""
    kinds = list(dict.fromkeys(kind for known in BRAIN_KINDS.values() for kind in known))
    word = {"anyOf": [{"enum": kinds}, {"type": "string"}]}
    mapping = {
        "type": "object",
        "properties": {"kind": word},
        "required": ["kind"],
        "additionalProperties": {"type": ["number", "string", "boolean"]},
    }
    return {"title": "Brain", "anyOf": [word, mapping]}


def chart_schema() -> dict[str, Any]:
    """The schema as plain data."""
    from company.chart import OrgChart

    schema = OrgChart.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Loopworks org chart"}


def schema_text() -> str:
    """What `org_charts/schema.json` holds."""
    return json.dumps(chart_schema(), indent=2, ensure_ascii=False) + "\n"
