"""Carry a chart's changes into a loaded YAML tree, touching only what changed."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any


def merge(tree: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Make `tree` (a ruamel mapping whose meaning is `before`) mean `after`. Both are compact plain data."""
    for key in before.keys() - after.keys():
        _reset(tree, key, before[key])
    for key, value in after.items():
        old = before.get(key)
        if key in tree and old == value:
            continue
        if key == "positions":
            _merge_positions(tree[key], old, value)
        elif isinstance(value, Mapping) and isinstance(old or {}, Mapping) and isinstance(tree.get(key), Mapping):
            merge(tree[key], old or {}, value)
        else:
            tree[key] = value


def _reset(tree: Any, key: str, old: Any) -> None:
    """Back at the default, so the file need not say it; what it says beside stays."""
    if isinstance(old, Mapping) and isinstance(tree.get(key), Mapping):
        merge(tree[key], old, {})
        if tree[key]:
            return
    tree.pop(key, None)


def _merge_positions(seats: Any, before: Any, after: Any) -> None:
    old = {seat["id"]: seat for seat in before}
    wanted = {seat["id"]: seat for seat in after}
    for index in reversed(range(len(seats))):
        if seats[index]["id"] not in wanted:
            del seats[index]
    for seat in seats:
        merge(seat, old[seat["id"]], wanted[seat["id"]])
    there = [seat["id"] for seat in seats]
    for index, seat in enumerate(after):
        if seat["id"] not in there:
            seats.insert(index, _like(seats, seat))
            there.insert(index, seat["id"])


def _like(seats: Any, seat: dict[str, Any]) -> Any:
    """A new entry in the style (one line, or a block) of its neighbours."""
    from ruamel.yaml.comments import CommentedMap

    fresh = CommentedMap(seat)
    if len(seats) and seats[0].fa.flow_style():
        fresh.fa.set_flow_style()
    return fresh


def keep_lines(old: str, new: str) -> str:
    """`new` with the lines of `old` that differ from it only in spacing: people align their columns."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = SequenceMatcher(None, [_squeezed(line) for line in before], [_squeezed(line) for line in after], False)
    lines = list(after)
    for one, other, size in matcher.get_matching_blocks():
        lines[other : other + size] = before[one : one + size]
    return "".join(lines)


def _squeezed(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + " ".join(line.split())
