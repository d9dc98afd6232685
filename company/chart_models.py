"""What can be wrong with a language model in a chart, and keys in places where no key belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from company.brain_kinds import MODEL_KINDS, find_kind, kind_key, kinds_for
from company.chart_problems import Finding, Path, a, quoted, suggest
from roles.brains.llm.redact import looks_like_key, may_hold_key
from roles.brains.llm.settings import KEYS, PROVIDERS, Key

KEY_ENV = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")
URL = re.compile(r"https?://[^\s/@?#]+(?::\d+)?(?:/[^\s?#]*)?")
MOST_TEXTS = 200_000
NO_KEYS = (
    "holds what looks like an API key: keys never stand in a chart; put it into the environment, name the variable"
    " with key_env, and make a new key, for this one has been written down"
)
SECRET_WORDS = ("key", "api_key", "apikey", "token", "secret", "password")


def wrong_provider(name: object) -> str:
    """What is said of a provider that is none."""
    return f"{quoted(name)} is not a provider: {', '.join(PROVIDERS)}{suggest(name, PROVIDERS)}"


def check_model(path: Path, role: str, provider: str, given: Mapping[Any, Any]) -> Iterator[Finding]:
    """Everything wrong with `brain: {provider: ..., model: ...}`."""
    yield from _check_group(path, given, KEYS, provider)
    if "model" not in given:
        yield Finding(path, f"a brain of {provider} needs a model, such as {{provider: {provider}, model: NAME}}")
    offline = given.get("offline")
    if isinstance(offline, str) and (offline in MODEL_KINDS or find_kind(role, offline) is None):
        known = [kind for kind in kinds_for(role) if kind not in MODEL_KINDS]
        wrong = f"offline {quoted(offline)} is not known for {a(role)} ({', '.join(known)}){suggest(offline, known)}"
        yield Finding((*path, "offline"), wrong)
    escalate = given.get("escalate")
    if isinstance(escalate, Mapping) and "model" not in escalate:
        yield Finding((*path, "escalate"), "escalate names no model: say which one is asked on evidence")


def _check_group(path: Path, given: Mapping[Any, Any], known: Mapping[str, Key], what: str) -> Iterator[Finding]:
    for name, value in given.items():
        place, key = (*path, name), known.get(name)
        if str(name).lower() in SECRET_WORDS:
            yield Finding(place, "no key stands in a chart: put it into the environment and name the variable with"
                          " key_env", at_key=True)  # fmt: skip
        elif key is None:
            yield Finding(
                place, f"{what} has no setting {quoted(name)}; it takes {', '.join(known)}{suggest(name, known)}", True
            )
        elif key.kind == "group":
            if isinstance(value, Mapping):
                yield from _check_group(place, value, key.keys or {}, name)
            else:
                yield Finding(place, f"{name} must be a mapping of {', '.join(key.keys or {})}")
        elif wrong := _wrong(name, value, key):
            yield Finding(place, wrong)


def _wrong(name: str, value: Any, key: Key) -> str:
    """What is wrong with one value, "" when nothing is."""
    if key.kind == "switch":
        return "" if isinstance(value, bool) else f"{name} must be true or false, not {quoted(value)}"
    if key.kind in ("number", "whole"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{name} must be a number, not {quoted(value)}"
        if key.kind == "whole" and not isinstance(value, int):
            return f"{name} must be a whole number, not {quoted(value)}"
        inside = key.low <= value <= key.high
        return "" if inside else f"{name} must be from {key.low:g} to {key.high:,g}, not {quoted(value)}"
    if not isinstance(value, str) or not value.strip():
        return f"{name} must be a word"
    if key.words and value not in key.words:
        return f"{name} {quoted(value)} is not one of {', '.join(key.words)}{suggest(value, key.words)}"
    if name == "base_url" and not URL.fullmatch(value):
        return "base_url must be an address such as http://localhost:8000/v1, without user, password or question mark"
    if name == "key_env" and not KEY_ENV.fullmatch(value):
        return "key_env must name a variable of the environment that ends in _API_KEY, such as OPENROUTER_API_KEY"
    return ""


def check_prices(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A budget in money can only be kept where every model has a price."""
    budget = data.get("budget")
    if not isinstance(budget, Mapping) or budget.get("usd") is None:
        return
    for block in ("positions", "talent"):
        holders = data.get(block)
        for index, holder in enumerate(holders if isinstance(holders, (list, tuple)) else ()):
            brain = holder.get("brain") if isinstance(holder, Mapping) else None
            if not isinstance(brain, Mapping) or brain.get(kind_key(brain)) not in MODEL_KINDS:
                continue
            path = (block, index, "brain")
            why = "budget.usd needs the price of every model: price: {input: ..., output: ...} a million tokens"
            if "price" not in brain:
                yield Finding(path, why)
            escalate = brain.get("escalate")
            if isinstance(escalate, Mapping) and "price" not in escalate:
                yield Finding((*path, "escalate"), why)


def check_secrets(data: Any) -> Iterator[Finding]:
    """Keys anywhere in a chart, each with its place and without the key."""
    todo: list[tuple[Path, Any]] = [((), data)] if may_hold_key(str(data)) else []
    for _ in range(MOST_TEXTS):
        if not todo:
            return
        path, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            todo += [((*path, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str) and looks_like_key(value):
            yield Finding(path, f"{path[-1]} {NO_KEYS}" if path else NO_KEYS)
