"""Intents as tool calls: their schemas, their arguments as JSON, what is wrong with a call. No AutoGen here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from roles.brains.digest import one_line
from roles.intents import INTENTS, Intent, intents_for

MAX_ARGUMENTS = 65_536  # characters of one call
MAX_INTEGER = 2**63 - 1  # what a database column holds; much larger ones overflow when compared with floats


@cache
def allowed(task: str) -> Mapping[str, type[Intent]]:
    """The intents that a decision on `task` may carry, by the name of their tool."""
    return {intent.kind(): intent for intent in intents_for(task)}


def parameters(intent: type[Intent]) -> dict[str, Any]:
    """The JSON schema of an intent's arguments, as providers want it: an object that refuses other names."""
    schema = intent.model_json_schema()
    return {
        "type": "object",
        "properties": schema["properties"],
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def dump(intent: Intent) -> str:
    """An intent's arguments as JSON. Floats are written by repr, so that they come back bit for bit."""
    return json.dumps(intent.model_dump())


def refusal(name: str, arguments: str, task: str) -> str:
    """Why a model's call is not even passed on, in one line; empty when it is well-formed and for the task."""
    shown = one_line(name, 40)
    if name not in INTENTS:
        return f"{shown} is not a tool"
    if name not in allowed(task):
        return f"{shown} is not for the task '{task}'"
    if len(arguments) > MAX_ARGUMENTS:
        return f"{shown}: {len(arguments)} characters of arguments, at most {MAX_ARGUMENTS} are read"
    try:
        parsed = json.loads(arguments, parse_float=_finite, parse_constant=_finite, parse_int=_integer)
        json.dumps(parsed, ensure_ascii=False).encode()  # half a surrogate pair would break whoever writes it later
    except (ValueError, RecursionError) as error:
        return f"{shown}: unreadable JSON: {one_line(error, 120)}"
    return "" if isinstance(parsed, dict) else f"{shown}: arguments are not a JSON object"


def explain(error: ValidationError) -> str:
    """The first three complaints of pydantic in one line, without the values (they are the model's)."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[:3]
    return one_line("; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise ValueError(f"an integer of {len(text)} digits is too large")
    return number
