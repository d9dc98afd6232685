"""The rows of the experiments' table."""

from __future__ import annotations

from collections.abc import Callable

from company.code_words import tried_text
from company.entities import Experiment
from company.snapshot import Snapshot
from company.standing import better_by, champion_metric
from company.wording import number
from tui.draw import glyphs
from tui.draw.ink import Line, Span, brief, fit, said

Sort = Callable[[Snapshot, Experiment], tuple[bool, float | str]]


def _best(shot: Snapshot, e: Experiment) -> tuple[bool, float | str]:
    return e.metric is None, shot.state.loss(e.metric or 0.0)


def _newest(shot: Snapshot, e: Experiment) -> tuple[bool, float | str]:
    return False, -float(e.id[1:]) if e.id[1:].isdecimal() else -e.created_at


ORDERS: dict[str, Sort] = {
    "newest": _newest,
    "best": _best,
    "who": lambda shot, e: (e.proposer is None, e.proposer or ""),
    "status": lambda shot, e: (False, e.status),
    "dearest": lambda shot, e: (False, -e.cost),
}


def header(room: int) -> Line:
    """The head of the table."""
    spans: list[Span] = [("    ", "muted")]
    for name, size, right in _columns(room):
        spans.append((fit(name, size, right) + " ", "muted"))
    left = room - sum(len(text) for text, _ in spans)
    return (*spans, (fit("what changed" if left >= 12 else "", max(0, left)), "muted"))


def row(shot: Snapshot, id: str, room: int, picked: bool) -> Line:
    """An experiment in one line."""
    e = shot.state.experiments[id]
    glyph, colour, _word = glyphs.status(e)
    mark, tone = glyphs.standing(e)
    spans: list[Span] = [("◉" if picked else " ", "accent b"), (glyph, f"{colour} b"), (mark, tone), (" ", "")]
    values = _values(shot, e)
    for name, size, right in _columns(room):
        text, style = values[name]
        spans.append((fit(text, size, right) + " ", style))
    left = room - sum(len(text) for text, _ in spans)
    tried = e.purpose != "baseline"
    what = tried_text(shot.state, e.code, e.config, "", shot.state.brief["baseline"], 6) if tried else "the baseline"
    return (*spans, (said(what, max(0, left)), "muted"))


def _columns(room: int) -> list[tuple[str, int, bool]]:
    found = [("id", 6, False), ("who", 6, False), ("metric", 8, True), ("Δσ", 6, True)]
    if room >= 56:
        found.insert(2, ("purpose", 8, False))
    if room >= 72:
        found.append(("verdict", 9, False))
    if room >= 90:
        found += [("expected", 8, True), ("cost", 6, True)]
    return found


def _values(shot: Snapshot, e: Experiment) -> dict[str, tuple[str, str]]:
    _, colour, word = glyphs.status(e)
    by = better_by(shot.state, e.metric, champion_metric(shot.state)) if e.purpose != "closing" else None
    verdict = {"noise": "in noise"}.get(e.verdict or "", e.verdict or "")
    purpose = {"replication": f"≈{e.parent}", "proposal": "", "baseline": "baseline", "closing": "closing"}
    return {
        "id": (e.id, "strong"),
        "who": (e.proposer or "–", "researcher" if e.proposer else "faint"),
        "purpose": (purpose.get(e.purpose, e.purpose), "muted"),
        "metric": (number(e.metric), "text") if e.metric is not None else (word, colour),
        "Δσ": (f"{by:+.1f}" if by is not None and abs(by) < 1000 else "", "good" if (by or 0) > 0 else "muted"),
        "verdict": (verdict, "good" if verdict == "promising" else "muted"),
        "expected": (number(e.predicted) if e.predicted is not None else "", "muted"),
        "cost": (brief(e.cost), "muted"),
    }
