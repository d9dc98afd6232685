"""What a scorecard says, in plain words: its score with interval, and its parts by name. For reports and screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from company.change_words import interval
from company.scorecards import Appraisal
from company.wording import count, number, span

Parts = Mapping[str, float]
Named = list[tuple[str, str]]


def score_words(card: Appraisal) -> str:
    """The score with its 90 % interval; two digits after the point, four where the score is in hundredths."""
    if card.role in ("reviewer", "manager"):
        return f"{card.score:+.3f} ({card.low:+.3f} to {card.high:+.3f})"
    return interval(card.score, card.low, card.high)


def parts_words(card: Appraisal) -> Named:
    """What the score consists of and what stands beside it: (name of at most 11 letters, words)."""
    return [(name, words) for name, words in _ROLES[card.role](card.parts) if words]


def cost_words(card: Appraisal) -> str:
    """What the agent cost: reference slot-seconds, and tokens where it used any."""
    tokens = int(card.parts.get("tokens", 0.0))
    slots = f"{span(card.parts.get('slot_seconds', 0.0))} of slots"
    return f"{slots}, {count(tokens, 'token')}" if tokens else slots


def _researcher(parts: Parts) -> Named:
    raw, field, doubt = parts["raw"], -parts["field"], parts["shrinkage"]
    return [
        ("made of", f"{raw:+.2f} on its own, {field:+.2f} for the field, {doubt:+.2f} for doubt"),
        ("confirmed", f"{number(parts['confirmed'], 3)} sigma" if parts["confirmed"] else ""),
        ("failed", f"{_whole(parts, 'failed')} failed, {_whole(parts, 'dropped')} dropped"),
        ("foresight", _foresight(parts)),
    ]


def _foresight(parts: Parts) -> str:
    n = int(parts["predictions"])
    if n == 0:
        return "nothing was predicted"
    side = "too much" if parts["bias"] > 0 else "too little"
    words = f"promised {number(abs(parts['bias']), 3)} sigma {side}, misses by {number(parts['rmse'], 3)}"
    return f"{words}, correlation {parts['correlation']:+.2f} ({count(n, 'prediction')})"


def _reviewer(parts: Parts) -> Named:
    return [
        ("before runs", _brier(parts, "improves")),
        ("after runs", _brier(parts, "real")),
        ("refused", f"{_whole(parts, 'refused')} refused, {count(_whole(parts, 'verdicts'), 'verdict')}"),
        ("lost", f"{_whole(parts, 'discoveries_lost')} turned down that later won"),
        ("waste", f"{_whole(parts, 'waste_passed')} let through that taught little"),
    ]


def _brier(parts: Parts, name: str) -> str:
    n = _whole(parts, f"{name}_n")
    if n == 0:
        return "no forecast is settled"
    score, reliability, resolution, uncertainty = (
        parts[f"{name}_{part}"] for part in ("brier", "reliability", "resolution", "uncertainty")
    )
    made = f"{reliability:.3f} reliability, {-resolution:.3f} resolution, {uncertainty:.3f} uncertainty"
    return f"Brier {score:.3f} from {made} ({count(n, 'forecast')})"


def _engineer(parts: Parts) -> Named:
    return [
        ("repaired", f"{_whole(parts, 'repaired')} ended ok, of {count(_whole(parts, 'crashes'), 'crashed attempt')}"),
        ("stopped", f"{_whole(parts, 'stopped')} early, {number(parts['saved_by_stops'], 3)} runs saved"),
        ("lost", f"{_whole(parts, 'discoveries_lost')} stopped that later won"),
        ("failed", f"{_whole(parts, 'failed')} in its hands"),
        ("throughput", f"{parts['throughput']:.2f} of what the cost table says" if parts["throughput"] else ""),
    ]


def _manager(parts: Parts) -> Named:
    return [
        ("regret", f"{parts['regret']:.3f} against the best split, an equal one {parts['equal_regret']:.3f}"),
        ("team", f"{number(parts['output'], 3)} sigma confirmed, {number(parts['output_per_run'], 3)} a run"),
        ("directives", _directives(parts)),
    ]


def _directives(parts: Parts) -> str:
    if not parts["directed"]:
        return "none that asked for something"
    better, not_, other, neither = (
        _whole(parts, cell) for cell in ("followed_improved", "followed_not", "other_improved", "other_not")
    )
    gap = interval(parts["difference"], parts["difference_low"], parts["difference_high"])
    table = f"followed {better} better, {not_} not; else {other} better, {neither} not"
    return f"{table}; difference {gap}"


def _whole(parts: Parts, name: str) -> int:
    return round(parts.get(name, 0.0))


_ROLES: Mapping[str, Callable[[Parts], Named]] = {
    "researcher": _researcher, "reviewer": _reviewer, "engineer": _engineer, "manager": _manager,
}  # fmt: skip
