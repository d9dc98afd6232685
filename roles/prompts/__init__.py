"""What a language model in each role is told, as Markdown beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def prompt(role: str) -> str:
    """The prompt of a role."""
    return (Path(__file__).parent / f"{role}.md").read_text(encoding="utf-8").strip()
