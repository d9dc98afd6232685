"""What a person has of a dashboard beside the company: own keys, copies and pictures, the tour, and how to leave."""

from __future__ import annotations

import time
from pathlib import Path

from textual.binding import Binding

from tui.clips import clip
from tui.draw.ink import Line, Span
from tui.helps import help_of
from tui.keys import interventions, name_of
from tui.pictures import write_picture
from tui.stepping_in import SteppingIn
from tui.visit import Left, Visit
from tui.widgets.help import Help
from tui.widgets.leave import Leave
from tui.widgets.tour import TourBar


class Personal(SteppingIn):
    """The part of the dashboard that knows who looks at it."""

    visit: Visit
    left: Left = ""

    @property
    def place(self) -> str:
        """The tab that is open, "" before the first."""
        return ""

    @property
    def readonly(self) -> bool:
        """Whether nothing can be asked of the company from here."""
        return self.visit.readonly

    def get_key_display(self, binding: Binding) -> str:
        """A person's own key as it is typed."""
        return binding.key_display or name_of(binding.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is not for this visit has no key: it is neither shown nor active."""
        if action == "tour_on":
            return self.query_one(TourBar).on
        return not (self.readonly and action in interventions("app"))

    def lead(self) -> Line:
        """What the status row says before everything else."""
        words: list[Span] = [(f" {self.visit.label} ", "accent b select")] if self.visit.label else []
        return (*words, (" read-only ", "warn b")) if self.readonly else tuple(words)

    def action_copy(self) -> None:
        text = clip(self.place, self.desk) or self.copied()
        if text:
            self.copy_to_clipboard(text)
            self.notify(f"copied {text.splitlines()[0][:40]}", markup=False, timeout=2)

    def copied(self) -> str:
        """What the open tab itself gives away."""
        return ""

    def action_picture(self) -> None:
        stem = f"loopworks-{self.place or 'screen'}-{time.strftime('%H%M%S')}"
        try:
            path = write_picture(Path.cwd(), stem, self.export_screenshot(title="Loopworks"))
        except OSError as error:
            self.notify(f"not saved: {error.strerror}", severity="error", markup=False)
            return
        self.notify(f"saved {path}", markup=False)

    def action_help(self) -> None:
        here, panes = self.focused, [help_of(each) for each in self.query(f"#{self.place or 'body'} .pane")]
        focused = help_of(here) if here is not None else None
        others = [each for each in panes if each is not None and each != focused]
        self.push_screen(Help(self.place or "app", focused, others, self.visit.keymap, self.readonly))

    def action_tour(self) -> None:
        bar = self.query_one(TourBar)
        bar.end() if bar.on else bar.begin()

    def action_tour_on(self) -> None:
        self.query_one(TourBar).advance()

    async def action_quit(self) -> None:
        """Leave; where an engine was started together with the dashboard, ask what becomes of it."""
        self._ask_and_leave()

    def action_help_quit(self) -> None:
        """Ctrl-C leaves too."""
        self._ask_and_leave()

    def _ask_and_leave(self) -> None:
        if self.visit.engine is None or not self.visit.engine.works():
            self.exit()
        elif not isinstance(self.screen, Leave):
            self.push_screen(Leave(), self._leave)

    def _leave(self, left: Left | None) -> None:
        if left:
            self.left = left
            self.exit()
