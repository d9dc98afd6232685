"""The status row: the most important first, because a narrow window cuts it."""

from __future__ import annotations

from dataclasses import dataclass

from company.model_costs import budget_left, spending_words
from company.planning import budget_spent
from company.snapshot import Snapshot
from company.standing import better_by, champion_is_baseline, champion_metric
from company.wording import count, number, percent, plain, span
from tui.draw.ink import Line, Span, clip, width


@dataclass(frozen=True, slots=True)
class Situation:
    """What the row says beside the snapshot. `quiet` is seconds since the last event; `read` the share read so far."""

    engine: str = "stopped"  # live | finished | stopped | dead
    replay: bool = False
    total: int = 0
    quiet: float = 0.0
    read: float = 1.0
    needs: int = 0  # that wait for a person
    sent: int = 0  # commands without an answer


STALE_S = 30.0  # a live company that says nothing for so long is worth a look

MODES = {
    "live": ("●", "good b", "live"),
    "finished": ("■", "muted b", "finished"),
    "stopped": ("◌", "warn b", "stopped"),
    "dead": ("✗", "bad b", "presumed dead"),
}


def status_line(shot: Snapshot, now: Situation, room: int) -> Line:
    """One line of at most `room` cells; parts that do not fit are left out whole."""
    line: list[Span] = [(" ", "")]
    for index, part in enumerate(_parts(shot, now)):
        lead = [("  ", "")] if index else []
        if width([*line, *lead, *part]) > room:
            break
        line += [*lead, *part]
    return clip(line, room)


def _parts(shot: Snapshot, now: Situation) -> list[list[Span]]:
    words = "! 1 needs you" if now.needs == 1 else f"! {now.needs} need you"
    needs: list[list[Span]] = [[(words, "bad b" if now.engine == "dead" else "warn b")]] if now.needs else []
    needs += [[(f"↑ {count(now.sent, 'command')} sent", "busy b")]] if now.sent else []
    if not shot.is_founded:
        return [*needs, [_mode(shot, now)], [("no company yet", "muted")]]
    state = shot.state
    who = f"{plain(state.chart.company, 24)} on {plain(state.brief['name'], 20)}"
    return [
        *needs,
        [_mode(shot, now)],
        [(f"{span(shot.at)}", "strong"), (f" #{shot.seq}" if now.replay else "", "muted")],
        _champion(shot),
        [(count(sum(a.status != "left" for a in state.agents.values()), "agent"), "text")],
        _runs(shot),
        [("slots ", "muted"), (f"{len(state.running)}/{state.slots}", "text")],
        *([[("sandbox ", "muted"), _sandbox(state.sandbox)]] if state.sandbox else []),
        *([] if shot.early else [[("budget ", "muted"), (percent(budget_spent(state)), "text")]]),
        *([[("models ", "muted"), (words, "text")]] if (words := models_words(shot)) else []),
        [(who, "muted")],
    ]


def models_words(shot: Snapshot) -> str:
    """What the company's language models took, and what its budget has left; "" where none was asked."""
    if shot.early or not shot.costs.total.decisions:
        return ""
    budget = shot.state.chart.budget
    left = budget_left(shot.costs.total, budget.tokens, budget.usd)
    return " · ".join([spending_words(shot.costs.total), *([f"{percent(left)} left"] if left is not None else [])])


def _sandbox(level: str) -> Span:
    return plain(level, 20), "warn" if level == "none" else "text"


def _mode(shot: Snapshot, now: Situation) -> Span:
    if now.read < 1.0:
        return f"◌ reading {percent(now.read)}", "busy b"
    if now.replay:
        return f"↺ replay {shot.seq}/{now.total}", "warn b"
    glyph, style, word = MODES.get(now.engine, MODES["stopped"])
    if now.engine == "live" and shot.state.paused:
        return "‖ paused", "warn b"
    if now.engine == "live" and now.quiet > STALE_S:
        return f"◌ quiet {span(now.quiet)}", "warn b"
    if now.engine == "live" and shot.state.phase in ("founding", "closing"):
        word = f"live, {shot.state.phase}"
    return f"{glyph} {word}", style


def _champion(shot: Snapshot) -> list[Span]:
    state = shot.state
    metric = champion_metric(state)
    if metric is None:
        return [("measuring the noise", "muted")]
    if champion_is_baseline(state):
        return [("☆ ", "muted"), (number(metric), "strong"), (" baseline", "muted")]
    by = better_by(state, metric, state.baseline_mean)
    return [("★ ", "good"), (number(metric), "strong"), (f" {by:+.1f}σ" if by is not None else "", "good")]


def _runs(shot: Snapshot) -> list[Span]:
    spans: list[Span] = [("runs ", "muted")]
    for words, glyph, style in (
        ("ok", "✓", "good"),
        ("running", "▸", "busy"),
        ("failed", "✗", "bad"),
        ("stopped", "◌", "warn"),
    ):
        found = shot.tally.get(words, 0)
        if found or words == "ok":
            spans.append((f"{glyph}{found} ", style))
    return [*spans[:-1], (spans[-1][0].rstrip(), spans[-1][1])]
