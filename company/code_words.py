"""Changes of the training code, in words for people: how much was changed, and what an experiment tries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from company.state import State
from company.wording import changes_text


def code_words(state: State, code: str, before: str = "") -> str:
    """`a patch +3 -1 lines`, against the version that it was written on; empty where nothing changed."""
    if code == before:
        return ""
    version = state.codes.get(code)
    if version is None:
        return "the project's own code"
    lines = list(edited(version.event.diff))
    added = sum(line.startswith("+") for line in lines)
    return f"a patch +{added} -{len(lines) - added} lines"


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
