"""What a brain is called: nothing for a policy, a language model by its provider and its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from company.brain_kinds import MODEL_KINDS
from company.wording import plain


def brain_words(kind: str, params: Mapping[str, Any], limit: int = 40) -> str:
    """In at most `limit` characters; a model's own name before its provider where both are too long."""
    if kind == "policy":
        return ""
    if kind not in MODEL_KINDS or not params.get("model"):
        return plain(kind, limit)
    model = plain(params["model"], limit)
    both = f"{plain(kind, limit)} {model}"
    return both if len(both) <= limit else model
