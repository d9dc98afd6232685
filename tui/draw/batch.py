"""A batch in lines: how far it is, the arms with their intervals, the contrasts, and the page of one row."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from company.wording import count, number, percent, plain, signed
from tui.batch_source import Results
from tui.draw.braille import Points, plot
from tui.draw.ink import EMPTY, Line, Span, cells, cut, fit, gauge, line, said, wrap
from tui.draw.page import fact, heading, paragraph

if TYPE_CHECKING:
    from company.batch.contrasts import Contrast
    from company.batch.rows import Arm, Row
    from company.batch.statistics import Analysis
    from company.batch.summaries import Summary

NONE = (
    ("This run is of no batch.", "strong b"),
    ("", ""),
    ("Which organisation does better research for the same compute?", "text"),
    ("loopworks batch startup flat --seeds 20 --out batches/mine", "accent"),
    ("loopworks tui batches/mine", "accent"),
)
NAME = 36
TALL = 12  # lines, from which on a legend may have several
COLOURS = ("engineer", "manager", "reviewer", "researcher")  # of the drawn arms


def no_batch() -> list[Line]:
    """What is shown where there is none: the next command."""
    return [line(words) for words in NONE]


def batch_lines(results: Results, room: int) -> list[Line]:
    """Progress, conclusion, arms, contrasts."""
    lines = [_progress(results)]
    found = results.analysis
    if found is None:
        return [*lines, line(("no company has ended yet", "muted"))]
    lines += [line((words, "strong")) for words in wrap(found.verdict.sentence, room, 5)]
    lines += [*heading("Arms", room), *_arms(found, room)]
    if found.contrasts:
        lines += [*heading(f"Against {said(found.reference, room - 12)}", room)]
        lines += [_contrast(found, each, room) for each in found.contrasts]
    notes = [words for note in found.notes for words in wrap(note, room, 2)]
    return [*lines, EMPTY, *(line((words, "muted")) for words in notes)]


def curve_lines(results: Results, room: int, height: int) -> list[Line]:
    """Best so far of the best arms, with bands; each is known by its number and its colour."""
    if not results.curves or height < 6:
        return []
    lines = _legend(results, room, height >= TALL)
    drawn = [
        (list(zip(map(float, c.x), map(float, c.y), strict=True)), COLOURS[i]) for i, c in enumerate(results.curves)
    ]
    bands = [
        (
            list(zip(map(float, c.x), map(float, c.low), strict=True)),
            list(zip(map(float, c.x), map(float, c.high), strict=True)),
            "line",
        )
        for c in results.curves
        if c.low is not None and c.high is not None
    ]
    tags = [str(number_) for number_ in range(1, len(drawn) + 1)]
    return [*lines, *plot(drawn, room, height - len(lines) - 1, bands, tags)]


def _legend(results: Results, room: int, tall: bool) -> list[Line]:
    """Whose curve is which: a line each where there is room."""
    space = max(8, room - 2 if tall else room // len(results.curves) - 4)
    named: list[Line] = [
        ((f"{index + 1} ", f"{COLOURS[index]} b"), (cut(_short(curve.arm, space), space) + "  ", "text"))
        for index, curve in enumerate(results.curves)
    ]
    return named if tall else [tuple(span for each in named for span in each)]


def header(room: int) -> Line:
    """The heads of the rows' table."""
    return _cells("row", "arm", "project", "seed", "regret", "", room, "muted")


def row_line(key: str, row: Row, room: int) -> Line:
    """One company in a line."""
    ok = row.status == "ok"
    mark = ("✓", "good") if ok else ("✗", "bad")
    value = number(row.regret, 3) if ok else f"{plain(row.stage, 20)}"
    return _cells(
        key,
        _short(row.arm, _arm_room(room)),
        plain(row.project, 60),
        str(row.seed),
        value,
        mark[0],
        room,
        "text",
        mark[1],
    )


def row_page(directory: Path, key: str, row: Row | None, trail: Points, room: int) -> list[Line]:
    """All that is known of one company, and the command that runs it again with its whole ledger."""
    if row is None:
        return [line(("no row is selected", "muted"))]
    lines = [
        line((f"row {key}", "strong b"), (f"  {said(row.arm, room - 12)}", "muted")),
        fact("project", plain(row.project, 60)),
        fact("seed", str(row.seed)),
        fact("status", ("✓ ok", "good") if row.status == "ok" else ("✗ failed", "bad")),
    ]
    if row.status != "ok":
        lines += paragraph("stage", row.stage, room, 2) + paragraph("reason", row.reason, room, 8, "bad")
    lines += [*heading("Metrics", room)] if row.metrics else []
    lines += [line((fit(plain(name, 40), 20), "muted"), number(value, 5)) for name, value in row.metrics.items()]
    drawn = plot([(trail, "busy")], room, 8)
    lines += [*heading("Regret over slot-seconds", room), *drawn] if drawn else []
    lines += [*heading("The whole story", room), *_command(replay_command(directory, key), room)]
    run = directory / "replays" / key
    lines += _command(f"loopworks tui {shlex.quote(str(run))}", room) if (run / "ledger.sqlite").is_file() else []
    return [*lines, fact("digest", (plain(row.digest, 64)[:16], "muted"))]


def replay_command(directory: Path, key: str) -> str:
    """The command that runs a row again."""
    return f"loopworks replay {shlex.quote(str(directory))} {key}"


def _command(text: str, room: int) -> list[Line]:
    return [line((words, "accent")) for words in wrap(text, room, 3)]


def _progress(results: Results) -> Line:
    done = len(results.rows or {})
    failed = sum(row.status == "failed" for row in (results.rows or {}).values())
    share = done / results.total if results.total else 0.0
    filled, empty = gauge(share, 20)
    state = ("● at work", "good b") if results.running else ("■ nobody writes", "muted b")
    return line(
        state, ("  ", ""), (filled, "busy"), ("░" * len(empty), "line"), f" {done} of {results.total} companies",
        (f", {failed} failed" if failed else "", "bad"), (f"  {percent(share)}", "muted"),
    )  # fmt: skip


def _arms(found: Analysis, room: int) -> list[Line]:
    ends = [value for each in found.summaries for value in (*each.interval, each.estimate) if value is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    name = max(12, min(NAME, room - 44))
    words = "IQM of regret" if found.statistic == "iqm" else "mean regret"
    heads: Line = ((f"{fit('  arm (· a control)', name)} {'n':>5} {words:>14} {'95 % interval':>18}", "muted"),)
    return [heads, *(_arm(found, each, name, low, high, room) for each in found.summaries)]


def _arm(found: Analysis, each: Summary, name: int, low: float, high: float, room: int) -> Line:
    control = each.arm in found.controls
    left = ("· " if control else "  ") + fit(_short(each.arm, name - 2), name - 2)
    bar = room - name - 42
    spans: list[Span] = [
        (left, "muted" if control else "strong"), (f" {each.n:>5} {number(each.estimate, 3):>14}", "text"),
        (f" {_interval(each.interval):>18}", "text"),
    ]  # fmt: skip
    spans.append((f"  {each.failed} failed", "bad")) if each.failed else None
    return tuple(spans) if bar < 12 else (*spans, ("  ", ""), *_bar(each, low, high, min(bar - 10, 40)))


def _bar(each: Summary, low: float, high: float, room: int) -> Line:
    """The interval on the scale that all arms share: `──├─●──┤`; less regret is to the left."""
    a, b = each.interval
    if each.estimate is None or room < 4 or high <= low:
        return EMPTY
    at = [round((v - low) / (high - low) * (room - 1)) for v in (a if a is not None else each.estimate, each.estimate,
          b if b is not None else each.estimate)]  # fmt: skip
    chars = ["·"] * room
    chars[at[0] : at[2] + 1] = "─" * (at[2] - at[0] + 1)
    chars[at[0]], chars[at[2]], chars[at[1]] = "├", "┤", "●"
    return line(("".join(chars), "busy"))


def _contrast(found: Analysis, each: Contrast, room: int) -> Line:
    name = max(12, min(NAME, room - 44))
    pair = each.paired
    left: Span = ("  " + fit(_short(each.arm, name - 2), name - 2), "strong")
    if pair is None:
        return line(left, (" shares no world", "muted"))
    low, high = pair.interval
    clear = low is not None and high is not None and (high < 0 or low > 0) and pair.p_holm < 0.05
    style = ("good b" if pair.difference < 0 else "bad b") if clear else "text"
    return line(
        left, (f" {signed(pair.difference):>9}", style), f" {_interval(pair.interval):>19}",
        (f"  p {number(pair.p_holm, 2)}, {count(pair.worlds, 'world')}", "muted"),
    )  # fmt: skip


def _short(arm: Arm, room: int) -> str:
    """An arm's name in `room` cells: of long settings the end, where they differ."""
    whole = plain(str(arm), 200)
    if cells(whole) <= room:
        return whole
    head = cut(plain(arm.chart, 60), max(4, room // 2)) + " …"
    return cut(head + whole[len(whole) - max(0, room - cells(head)) :], room) if arm.settings else cut(whole, room)


def _arm_room(room: int) -> int:
    return max(8, room - 40)


def _interval(ends: Sequence[float | None]) -> str:
    low, high = ends
    return "–" if low is None and high is None else f"{number(low, 3)} to {number(high, 3)}"


def _cells(
    key: str, arm: str, project: str, seed: str, value: str, mark: str, room: int, style: str, tone: str = ""
) -> Line:
    wide = _arm_room(room)
    return (
        (f" {fit(mark, 1)} ", f"{tone} b"), (fit(key, 7), "muted"), (fit(arm, wide) + " ", style),
        (fit(project, 12) + " ", "muted"), (fit(seed, 6, right=True), "muted"),
        (" " + fit(value, 9, right=True), style),
    )  # fmt: skip
