"""The generated tables of docs/org_chart.md: every setting with its default, every brain with its settings.

`python -m company.chart_reference docs/org_chart.md` writes them afresh; a test holds them so.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from company.brain_kinds import BRAIN_KINDS, DEFAULT_BRAINS
from company.chart import Budget, OrgChart, Position, Start, Talent, TalentRecord
from company.policies import Policies
from roles.brains.llm.settings import ESCALATE, KEYS, Key, default_words

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refresh(text: str) -> str:
    """The page with every generated block written anew. Raises KeyError for a block of an unknown name."""
    blocks = {
        "chart": _table(OrgChart),
        "position": _table(Position),
        "talent": _table(Talent),
        "record": _table(TalentRecord),
        "start": _table(Start),
        "budget": _table(Budget),
        "policies": _policies(),
        "brains": _brains(),
        "models": _models(),
    }
    return _BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}", text)


def _table(model: type[BaseModel]) -> str:
    return _rows(("key", "default", "what"), _fields(model))


def _policies() -> str:
    rows = (row for name, field in Policies.model_fields.items() for row in _policy(name, field.annotation))
    return _rows(("setting", "default", "what"), rows)


def _policy(name: str, model: Any) -> Iterator[tuple[str, ...]]:
    return ((f"`{name}.{key.strip('`')}`", default, what) for key, default, what in _fields(model))


def _brains() -> str:
    rows = (
        (role, f"**{kind}**" if DEFAULT_BRAINS[role] == kind else kind, entry.about, _settings(entry.settings))
        for role, kinds in BRAIN_KINDS.items()
        for kind, entry in kinds.items()
    )
    return _rows(("role", "brain", "what it does", "settings"), rows)


def _models() -> str:
    defaults = default_words()
    rows = ((f"`{path}`", _model_default(key, defaults), key.about) for path, key in _model_keys(KEYS, ""))
    return _rows(("setting", "default", "what"), rows)


def _model_keys(keys: Mapping[str, Key], under: str) -> Iterator[tuple[str, Key]]:
    for name, key in keys.items():
        if under and name in KEYS and name != "model":
            continue  # as for the routine model
        yield f"{under}{name}", key
        yield from _model_keys(key.keys or {}, f"{under}{name}.") if key.kind == "group" else ()


def _model_default(key: Key, defaults: Mapping[str, Any]) -> str:
    name = next((name for name, known in {**KEYS, **ESCALATE}.items() if known is key), "")
    return "required" if name == "model" else _default(defaults.get(name))


def _settings(settings: Any) -> str:
    return ", ".join(f"`{name}` {each.low:g} to {each.high:g}" for name, each in settings.items())


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        yield f"`{name}`", _default(field.default), field.description or ""


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, Policies):
        return "see below"
    plain = value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
    return f"`{plain}`" if isinstance(plain, str) else f"`{json.dumps(plain)}`"


def _rows(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(refresh(page.read_text(encoding="utf-8")), encoding="utf-8")
