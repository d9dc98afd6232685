"""Changes of the training code, in words for people: how much was changed, and what an experiment tries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from company.state import State
from company.wording import changes_text


def code_words(state: State, code: str, before: str = "") -> str:
    """`a patch +3 -1 lines`, `2 patches ...` where several lead here from `before`; empty where nothing changed."""
    if code == before:
        return ""
    if code not in state.codes:
        return "the project's own code"
    steps = _since(state, code, before) or [code]
    lines = [line for step in steps for line in edited(state.codes[step].event.diff)]
    added = sum(line.startswith("+") for line in lines)
    patches = "a patch" if len(steps) == 1 else f"{len(steps)} patches"
    return f"{patches} +{added} -{len(lines) - added} lines"


def _since(state: State, code: str, before: str) -> list[str]:
    """The versions from `before` on up to `code`; none where one does not come from the other."""
    steps: list[str] = []
    while code != before:
        if code not in state.codes or code in steps:
            return []
        steps.append(code)
        code = state.codes[code].event.parent
    return steps


def edited(diff: str) -> Iterator[str]:
    """The lines that a unified diff adds and removes, with their signs."""
    return (line for line in diff.splitlines() if line[:1] in ("+", "-") and line[:4] not in ("--- ", "+++ "))


def tried_text(
    state: State, code: str, config: Mapping[str, Any], before: str, reference: Mapping[str, Any], most: int = 4
) -> str:
    """`a patch +3 -1 lines, lr 0.003`; `nothing changed` where code and config are those of the reference."""
    words, changes = code_words(state, code, before), changes_text(config, reference, most)
    if not words:
        return changes
    return words if config == reference else f"{words}, {changes}"
