"""The JSON schema of a chart, generated from the model, so that editors complete and explain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from company.brain_kinds import BRAIN_KINDS
from roles.brains.llm.settings import KEYS, PROVIDERS, Key


def brain_schema() -> dict[str, Any]:
    """A bare word, a mapping with `kind` (the built-in kinds are offered, others stay possible by entry points), or a
    language model: a mapping with `provider`."""
    kinds = list(dict.fromkeys(kind for known in BRAIN_KINDS.values() for kind in known))
    word = {"anyOf": [{"enum": kinds}, {"type": "string"}]}
    mapping = {
        "type": "object",
        "properties": {"kind": word},
        "required": ["kind"],
        "additionalProperties": {"type": ["number", "string", "boolean"]},
    }
    return {"title": "Brain", "anyOf": [word, mapping, _model_schema()]}


def _model_schema() -> dict[str, Any]:
    provider = {"enum": list(PROVIDERS), "description": "; ".join(f"{k}: {v.about}" for k, v in PROVIDERS.items())}
    found = _group_schema(KEYS)
    return {**found, "properties": {"provider": provider, **found["properties"]}, "required": ["provider", "model"]}


def _group_schema(keys: Mapping[str, Key]) -> dict[str, Any]:
    properties = {name: {**_key_schema(key), "description": key.about} for name, key in keys.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _key_schema(key: Key) -> dict[str, Any]:
    if key.kind == "group":
        return _group_schema(key.keys or {})
    if key.kind in ("number", "whole"):
        kind = "integer" if key.kind == "whole" else "number"
        return {"type": kind, "minimum": key.low, "maximum": key.high}
    return {"enum": list(key.words)} if key.words else {"type": "boolean" if key.kind == "switch" else "string"}


def chart_schema() -> dict[str, Any]:
    """The schema as plain data."""
    from company.chart import OrgChart

    schema = OrgChart.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Loopworks org chart"}


def schema_text() -> str:
    """What `org_charts/schema.json` holds."""
    return json.dumps(chart_schema(), indent=2, ensure_ascii=False) + "\n"
