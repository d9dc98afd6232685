"""How facts are put into words on every screen and page: numbers, spans of time, configs, other people's text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(text: object, limit: int = 200) -> str:
    """Untrusted text on one line: printable characters only (no escapes, no direction marks), at most `limit`."""
    line = " ".join(str(text)[: 4 * limit].split())
    kept = line if line.isprintable() else "".join(c for c in line if c.isprintable())  # no surrogate is
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def number(value: float | None, digits: int = 4) -> str:
    """A measured number at `digits` significant digits, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e")


def signed(value: float | None, digits: int = 3) -> str:
    """As `number`, with its sign."""
    return number(value, digits) if value is None or value < 0 else f"+{number(value, digits)}"


def percent(share: float | None) -> str:
    """`0.42` as `42 %`."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.0f} %"


def span(seconds: float | None) -> str:
    """A span of time as a clock shows it: 0:07, 12:30, 3:04:05."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(n: int, thing: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def setting(value: Any) -> str:
    """One value of a config."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, float) else plain(value, 40)


def changed(config: Mapping[str, Any], reference: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters (name, value) in which a config differs from another, in the config's order."""
    return [(plain(k, 40), setting(v)) for k, v in config.items() if k not in reference or reference[k] != v]


def changes_text(config: Mapping[str, Any], reference: Mapping[str, Any], most: int = 4) -> str:
    """`lr 0.003, depth 4 and 2 more`; `nothing changed` where both are the same."""
    pairs = changed(config, reference)
    if not pairs:
        return "nothing changed"
    text = ", ".join(f"{name} {value}" for name, value in pairs[:most])
    return text if len(pairs) <= most else f"{text} and {len(pairs) - most} more"


def finite(value: Any) -> Any:
    """The value without NaN and infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
