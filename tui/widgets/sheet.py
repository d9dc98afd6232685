"""A scrollable sheet of drawn lines: only the lines that changed are drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.events import Click
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.draw.canvas import Box, Drawing
from tui.draw.ink import EMPTY, Line
from tui.palette import PALETTES, style

KEPT = 256  # strips of lines that are the same as before


class Sheet(ScrollView, inherit_bindings=False):
    """Shows a Drawing; what is clicked in it is named by a Touched message. Keys are left to the tab that it is on."""

    class Touched(Message):
        """A spot of the drawing was clicked."""

        def __init__(self, sheet: Sheet, spot: str) -> None:
            super().__init__()
            self.sheet, self.spot = sheet, spot

        @property
        def control(self) -> Sheet:
            return self.sheet

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, can_focus: bool = False, title: str = ""
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self.can_focus = can_focus
        self.border_title = title
        self._drawing = Drawing(())
        self._strips: dict[tuple[Line, int, int, str], Strip] = {}

    @property
    def drawing(self) -> Drawing:
        """What is shown."""
        return self._drawing

    def show(self, drawing: Drawing | Sequence[Line]) -> None:
        """Show another drawing; lines that stay the same cost nothing."""
        shown = drawing if isinstance(drawing, Drawing) else Drawing(drawing)
        was, self._drawing = self._drawing.lines, shown
        size = Size(shown.width, len(shown.lines))
        if size != self.virtual_size:
            self.virtual_size = size
            self.refresh()
            return
        top, height = self.scroll_offset.y, self.size.height
        for y in range(top, min(top + height, len(shown.lines))):
            if y >= len(was) or was[y] != shown.lines[y]:
                self.refresh(Region(0, y - top, self.size.width, 1))

    def reveal(self, spot: str) -> None:
        """Scroll until a spot can be seen."""
        box = self._drawing.spots.get(spot)
        if box is not None:
            self.scroll_to_region(Region(*box).grow((1, 2, 1, 2)), animate=False, force=True)

    def spot_at(self, at: Offset) -> str | None:
        """What is drawn at an offset from the top left of the content."""
        x, y = at.x + self.scroll_offset.x, at.y + self.scroll_offset.y
        inside = (name for name, box in self._drawing.spots.items() if _holds(box, x, y))
        return next(inside, None)

    def on_click(self, event: Click) -> None:
        at = event.get_content_offset(self)
        spot = self.spot_at(at) if at is not None else None
        if spot is not None:
            self.post_message(self.Touched(self, spot))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def render_line(self, y: int) -> Strip:
        x, y = self.scroll_offset.x, self.scroll_offset.y + y
        lines = self._drawing.lines
        line = lines[y] if 0 <= y < len(lines) else EMPTY
        key = line, x, self.size.width, self.app.theme
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > KEPT:
                self._strips.clear()
            strip = self._strips[key] = strip_of(self, line, x)
        return strip


def strip_of(widget: ScrollView, line: Line, x: int = 0) -> Strip:
    """A line as a strip of the widget's width, in the colours of the theme, from column `x` on."""
    base, palette = widget.rich_style, widget.app.theme
    palette = palette if palette in PALETTES else "loopworks-dark"
    segments = [Segment(text, base + style(palette, words)) for text, words in line]
    return Strip(segments).crop_extend(x, x + widget.size.width, base)


def _holds(box: Box, x: int, y: int) -> bool:
    return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height
