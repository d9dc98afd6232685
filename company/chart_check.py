"""Everything wrong with a chart at once: types and ranges from the model, the rest from chart_semantics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from company.chart import CHART_ERROR, Budget, Edges, OrgChart, Position, Start, Talent, TalentRecord
from company.chart_problems import Finding, Path, quoted, suggest
from company.chart_semantics import find_problems
from company.policies import Policies

_NOUNS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list",
    "model": "a mapping",
    "mapping": "a mapping",
}


def check(data: Any) -> list[Finding]:
    """All problems of a chart given as plain data, in no particular order. Empty means that from_dict accepts it."""
    if not isinstance(data, Mapping):
        what = "empty" if data is None else f"{_kind(data)}"
        return [Finding((), f"a chart is a mapping with company and positions; this is {what}")]
    if not OrgChart.model_fields.keys() & data.keys():
        return [Finding((), "this is not an org chart: it has neither company nor positions")]
    return [*_check_types(data), *find_problems(data)]


def _check_types(data: Mapping[str, Any]) -> list[Finding]:
    try:
        OrgChart.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        return [
            _finding(detail, data) for detail in details if detail["type"] != CHART_ERROR and not _empty_claim(detail)
        ]
    return []


def _empty_claim(detail: Any) -> bool:
    """pydantic counts the items that passed: a list whose items are wrong is also "too short". Said once is enough."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _finding(detail: Any, data: Mapping[str, Any]) -> Finding:
    kind, ctx = detail["type"], detail.get("ctx", {})
    path = _real_path(detail["loc"], data)
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "chart")
    if kind == "missing":
        missing = detail["loc"][-1]
        return Finding(path, f"{quoted(missing)} is missing{_owner(path, ' in ')}")
    if kind == "extra_forbidden":
        known = _fields_at(path[:-1])
        return Finding(path, f"{quoted(path[-1])} is not a setting{_owner(path[:-1])}{suggest(path[-1], known)}", True)
    return Finding(path, _wording(kind, ctx, name, detail["input"], detail["msg"]))


def _wording(kind: str, ctx: Mapping[str, Any], name: str, value: Any, fallback: str) -> str:
    if kind == "literal_error":
        return _not_one_of(name, value, str(ctx["expected"]))
    if kind == "value_error":
        text = str(ctx.get("error", fallback))
        return text if name in text or text.startswith("'") else f"{name} {text}"
    if kind == "string_pattern_mismatch":
        return f"{quoted(value)} is not an id: a lower-case letter, then letters, digits or _, 32 at most"
    limit = next((ctx[key] for key in ("ge", "gt", "le", "lt", "min_length", "max_length") if key in ctx), None)
    limit = f"{limit:g}" if isinstance(limit, float) else limit
    bounds = {
        "greater_than_equal": f"at least {limit}",
        "greater_than": f"more than {limit}",
        "less_than_equal": f"at most {limit}",
        "less_than": f"less than {limit}",
    }
    if kind in bounds:
        return f"{name} must be {bounds[kind]}, not {quoted(value)}"
    if kind in ("too_short", "string_too_short"):
        return f"{name} must not be empty" if limit == 1 else f"{name} needs at least {limit}"
    if kind in ("too_long", "string_too_long"):
        return f"{name} is too long: {limit} at most"
    if kind == "finite_number":
        return f"{name} must be a finite number"
    noun = _NOUNS.get(kind.removesuffix("_type").removesuffix("_from_float").removesuffix("_parsing"))
    if noun is None:
        return f"{name}: {fallback}"
    return f"{name} must be {noun}, not {_kind(value)}"


def _not_one_of(name: str, value: Any, expected: str) -> str:
    known = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    if name == "role":
        return f"role {quoted(value)} is not a role{suggest(value, known) or ': ' + ', '.join(known)}"
    return f"{name} {quoted(value)} is not one of {', '.join(known)}{suggest(value, known)}"


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the text {quoted(value)}" if isinstance(value, str) else f"the number {quoted(value)}"


def _real_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """pydantic's location without the names of union branches, which are not in the data."""
    path: list[str | int] = []
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(step)
    return tuple(path)


def _owner(path: Path, link: str = " of ") -> str:
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    entries = {
        "positions": "this position",
        "talent": "this talent entry",
        "starts": "this start",
        "record": "this record",
    }
    phrase = {"": "a chart", **entries}.get(name, name)
    return link + phrase


def _fields_at(path: Path) -> list[str]:
    model: Any = OrgChart
    blocks: dict[str, type[BaseModel]] = {
        "budget": Budget,
        "communication": Edges,
        "policies": Policies,
        "positions": Position,
        "talent": Talent,
        "starts": Start,
        "record": TalentRecord,
    }
    for step in (step for step in path if isinstance(step, str) and step != "of"):
        field = model.model_fields.get(step)
        model = blocks.get(step) or (field.annotation if field else None)
        if model is None or not hasattr(model, "model_fields"):
            return []
    return list(model.model_fields)
