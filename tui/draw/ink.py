"""Lines of styled spans, measured in terminal cells. All text of a company passes through here on its way to a screen.

A style is a few words: a colour of the palette (`good`, `researcher`, `muted`, ...) and b, i, u, r for bold, italic,
underlined, reversed. Text is cleaned by `company.wording.plain`; nothing is ever read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from company.wording import plain, span

Span = tuple[str, str]
Line = tuple[Span, ...]

BLOCKS = "▁▂▃▄▅▆▇█"
EMPTY: Line = ()


def line(*parts: Span | str) -> Line:
    """A line of spans; a bare string has no style."""
    return tuple(part if isinstance(part, tuple) else (part, "") for part in parts)


def width(spans: Iterable[Span]) -> int:
    """Cells that a line takes."""
    return sum(cells(text) for text, _ in spans)


def cells(text: str) -> int:
    """Cells that a text takes; wide characters take two, combining ones none."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, room: int) -> str:
    """The text in at most `room` cells, with an ellipsis where it was longer."""
    if room <= 0:
        return ""
    if cells(text) <= room:
        return text
    if text.isascii():
        return text[: room - 1] + "…"
    kept, used = [], 0
    for char in text:
        used += cells(char)
        if used > room - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def fit(text: str, room: int, right: bool = False) -> str:
    """The text in exactly `room` cells."""
    short = cut(text, room)
    pad = " " * max(0, room - cells(short))
    return pad + short if right else short + pad


def clip(spans: Sequence[Span], room: int) -> Line:
    """A line in at most `room` cells."""
    found, used = [], 0
    for text, style in spans:
        size = cells(text)
        if used + size > room:
            found.append((cut(text, room - used), style))
            break
        found.append((text, style))
        used += size
    return tuple(found)


def fill(spans: Sequence[Span], room: int, style: str = "") -> Line:
    """A line in exactly `room` cells."""
    short = clip(spans, room)
    left = room - width(short)
    return (*short, (" " * left, style)) if left > 0 else short


def restyle(spans: Iterable[Span], style: str) -> Line:
    """A line with more style words on every span."""
    return tuple((text, f"{was} {style}".strip()) for text, was in spans)


def spread(left: Sequence[Span], right: Sequence[Span], room: int) -> Line:
    """Two parts at the ends of a line; the left one gives way."""
    space = max(0, room - width(right))
    return (*fill(left, space), *clip(right, room))


def said(text: object, room: int) -> str:
    """Untrusted text on one line of at most `room` cells."""
    return cut(plain(text, max(1, room * 2)), room)


def verbatim(text: str, room: int) -> str:
    """A line of untrusted code in at most `room` cells: its spaces kept, what is not printable a space."""
    kept = text[: 4 * room].replace("\t", "    ")
    return cut("".join(c if c.isprintable() else " " for c in kept), room)


def wrap(text: object, room: int, most: int = 6) -> list[str]:
    """Untrusted text as lines of at most `room` cells, `most` of them; broken at spaces where there are any."""
    lines, now = [], ""
    for word in plain(text, max(1, room) * (most + 1)).split(" "):
        while cells(word) > room:
            head = cut(now + " " + word if now else word, room)[:-1]
            lines, word, now = [*lines, head], (now + " " + word if now else word)[len(head) :].lstrip(), ""
            if len(lines) >= most or not head:
                return [*lines[: most - 1], cut(lines[most - 1] + "…", room)] if len(lines) >= most else lines
        if now and cells(now) + 1 + cells(word) > room:
            lines, now = [*lines, now], word
        else:
            now = f"{now} {word}" if now else word
    lines = [*lines, now] if now else lines
    return lines if len(lines) <= most else [*lines[: most - 1], cut(f"{lines[most - 1]} …", room)]


def sparks(values: Sequence[float], most: int, low: float | None = None, high: float | None = None) -> str:
    """The last `most` values as blocks, the lowest lowest; the middle block where all are equal."""
    shown = list(values)[-most:] if most > 0 else []
    if not shown:
        return ""
    bottom, top = min(shown) if low is None else low, max(shown) if high is None else high
    if top <= bottom:
        return BLOCKS[3] * len(shown)
    scale = (len(BLOCKS) - 1) / (top - bottom)
    return "".join(BLOCKS[round(min(max(v - bottom, 0.0), top - bottom) * scale)] for v in shown)


def gauge(share: float, room: int) -> tuple[str, str]:
    """A bar of `room` cells in eighths: (filled, empty)."""
    eighths = round(min(1.0, max(0.0, share)) * room * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")
    return filled, " " * (room - len(filled))


def brief(seconds: float | None) -> str:
    """A span of time in few cells: 0.3 s, 12 s, 12:30."""
    if seconds is None or seconds >= 60:
        return span(seconds)
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
