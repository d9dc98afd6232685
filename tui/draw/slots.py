"""A lane a slot: what runs there, for how long, what ran before; then the queue, with the reason for waiting."""

from __future__ import annotations

from collections.abc import Mapping

from company.entities import Experiment
from company.snapshot import Lease, Snapshot
from company.standing import doing
from company.wording import count, number, percent, plain, span
from tui.draw import glyphs
from tui.draw.canvas import Box, Drawing
from tui.draw.ink import EMPTY, Line, Span, brief, clip, fill, fit, gauge, line, restyle
from tui.draw.page import heading


def draw_slots(
    shot: Snapshot, elapsed: Mapping[str, float], room: int, selected: int, window: float | None = None
) -> Drawing:
    """All slots and the queue; `elapsed` is for how many seconds what runs has run. Slots are the spots."""
    lines: list[Line] = []
    spots: dict[str, Box] = {}
    start, end = _window(shot, window)
    for slot in range(shot.state.slots):
        spots[str(slot)] = Box(0, len(lines), room, 3)
        head = fill(_head(shot, slot, elapsed, room), room)
        lines.append(restyle(head, "select b") if slot == selected else head)
        lines += [_history(shot, slot, start, end, room), EMPTY]
    lines.append(_axis(start, end, room))
    return Drawing([*lines, *_queue(shot, room), *_lately(shot, room)], spots)


def _window(shot: Snapshot, window: float | None) -> tuple[float, float]:
    end = max(shot.at, 1e-9)
    return (max(0.0, end - window) if window else 0.0), end


def _head(shot: Snapshot, slot: int, elapsed: Mapping[str, float], room: int) -> Line:
    state = shot.state
    name = f" {plain(state.device, 8)} {slot} "
    busy = (f"{percent(_busy(shot, slot))} busy ", "muted")
    if slot not in state.running:
        left: Line = ((f"{name:8}", "strong b"), ("○ free", "faint"))
        return (*fill(left, room - len(busy[0])), busy)
    e = state.experiments[state.running[slot]]
    ran = elapsed.get(e.id, max(0.0, shot.at - e.started_at))
    filled, empty = gauge(ran / max(e.cost, 1e-9), 16)
    times = f" {brief(ran)} of about {brief(e.cost)}"
    tail: list[Span] = [(filled, "busy"), ("░" * len(empty), "line"), (times, "text"), ("  ", ""), busy]
    what: list[Span] = [(f"{name:8}", "strong b"), ("▸ ", "busy b"), *_job(e)]
    space = max(0, room - sum(len(text) for text, _ in tail))
    return (*fill(clip(what, space), space), *tail) if space > 16 else clip(what, room)


def _job(e: Experiment) -> list[Span]:
    if e.purpose == "replication":
        return [(e.id, "strong"), (" repeats ", "muted"), (e.parent or "", "text")]
    return [(e.id, "strong"), (f" of {e.proposer}" if e.proposer else f" {e.purpose}", "researcher")]


def _busy(shot: Snapshot, slot: int) -> float:
    lane = shot.lanes.get(slot, ())
    if not lane or shot.at <= lane[0].start:
        return 0.0
    used = sum((lease.end if lease.end is not None else shot.at) - lease.start for lease in lane)
    return min(1.0, used / (shot.at - lane[0].start))


def _history(shot: Snapshot, slot: int, start: float, end: float, room: int) -> Line:
    """What ran on the slot over company time: a colour and a glyph by how it ended."""
    row: list[Span] = [("·", "faint")] * room
    for lease in shot.lanes.get(slot, ()):
        e = shot.state.experiments.get(lease.experiment)
        if e is not None and (lease.end is None or lease.end >= start):
            _block(row, lease, e, start, end, room)
    return tuple(row)


def _block(row: list[Span], lease: Lease, e: Experiment, start: float, end: float, room: int) -> None:
    stop = lease.end if lease.end is not None else end
    x1, x2 = (round((max(t, start) - start) / (end - start) * (room - 1)) for t in (lease.start, stop))
    glyph, colour, _ = glyphs.status(e) if lease.end is not None else ("▸", "busy", "")
    if e.standing == "champion":
        glyph, colour = glyphs.standing(e)
    fill_char = {"proposal": "▄", "replication": "▂", "baseline": "▁", "closing": "▁"}.get(e.purpose, "▄")
    for x in range(x1, max(x1 + 1, x2)):
        row[x] = fill_char, colour
    row[x1] = glyph, colour


def _axis(start: float, end: float, room: int) -> Line:
    left, right = span(start), span(end)
    words = " ✓ ok  ✗ failed  ◌ stopped  ★ champion  ▂ repeats "
    middle = words if room > len(left) + len(right) + len(words) + 2 else ""
    gap = room - len(left) - len(right) - len(middle)
    half = max(0, gap // 2)
    return line((left + " " * half + middle + " " * max(0, gap - half) + right, "faint"))


def _queue(shot: Snapshot, room: int) -> list[Line]:
    state = shot.state
    waiting = [e for id in state.under_way if (e := state.experiments[id]).status != "running"]
    asked = [p for p in state.decisions.values() if p.task == "propose"]
    lines = [*heading(f"Waiting ({len(waiting) + len(asked)})", room)]
    for e in waiting[:50]:
        glyph, colour, _ = glyphs.status(e)
        lines.append(clip([(f" {glyph} ", colour), *_job(e), (f"  {_why(shot, e)}", "muted")], room))
    for pending in asked[:20]:
        lines.append(line((" ? ", "muted"), (pending.agent, "researcher"), ("  thinks of a proposal", "muted")))
    if not waiting and not asked:
        idle = (state.phase == "closed" and "the company has closed") or "nothing waits for a slot"
        lines.append(line((f" {idle}", "faint")))
    if len(waiting) > 50:
        lines.append(line((f" and {count(len(waiting) - 50, 'other')}", "muted")))
    return lines


def _lately(shot: Snapshot, room: int, most: int = 12) -> list[Line]:
    """What left a slot last, the newest first."""
    ended = [(lease.end, slot, lease) for slot, lane in shot.lanes.items() for lease in lane if lease.end is not None]
    lines = heading("Done lately", room) if ended else []
    for end, slot, lease in sorted(ended, key=lambda each: -each[0])[:most]:
        e = shot.state.experiments[lease.experiment]
        glyph, colour, word = glyphs.status(e)
        said = number(e.metric) if e.metric is not None else word
        spans = [
            (f" {glyph} ", colour),
            (fit(span(end), 8), "faint"),
            (f"{plain(shot.state.device, 8)} {slot}  ", "muted"),
        ]
        took = (f"  in {brief(end - lease.start)}", "muted")
        lines.append(clip([*spans, *_job(e), ("  ", ""), (said, "text"), took], room))
    return lines


def _why(shot: Snapshot, e: Experiment) -> str:
    """Why an experiment waits, in plain words."""
    state = shot.state
    if e.status == "queued":
        place = list(state.queue).index(e.id) + 1 if e.id in state.queue else 0
        return (
            f"ready, number {place} in line: every slot is busy"
            if not state.free_slots()
            else f"number {place} in line"
        )
    on = [p.agent for p in state.decisions.values() if p.experiment == e.id]
    by = f" by {', '.join(on)}" if on else ""
    return {
        "proposed": f"under review{by}", "building": f"is being built{by}", "repairing": f"failed, looked at{by}",
    }.get(e.status, e.status) + ("" if by or not on else f" ({doing(state).get(on[0], '')})")  # fmt: skip
