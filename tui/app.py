"""The dashboard: the shell around the tabs. It reads, and asks the engine; closing it does nothing to the company."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Event, InputEvent
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from company.chart import OrgChart
from company.chart_problems import ChartError
from company.snapshot import Snapshot
from tui.crash import crash_line
from tui.desk import Desk
from tui.draw.ink import width
from tui.draw.status import status_line
from tui.draw.timeline import CHANGES
from tui.feed import Delta, Feed
from tui.garbage import Garbage
from tui.helps import HELPS
from tui.history import History
from tui.moments import step
from tui.one_core import give_way
from tui.palette import PALETTES
from tui.personal import Personal
from tui.screens.view import View
from tui.source import SourceError
from tui.tabs import TABS, TITLES, make
from tui.themes import themes
from tui.visit import USUAL, Visit
from tui.widgets.bindings import bindings
from tui.widgets.goto import GoTo, Target
from tui.widgets.rows import Row, Tabs
from tui.widgets.tour import TourBar

SMALL = 60, 16
REST_S = 0.25  # between two drawings of what the feed brings
LEFT_S, CALM_S = 10.0, 2.0  # after the last key the ledger is looked at more rarely: so often
DEAD = "The engine is presumed dead: nothing that was recorded is lost. Go on with: loopworks run --resume {}"
EARLY = "The ledger is being read: until it is, scores are the last appraisals', and lists hold only the latest."


class Dashboard(Personal):
    """One run directory on the screen."""

    CSS_PATH = "app.tcss"
    TITLE = "Loopworks"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = bindings("app")
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (SMALL[0], "-narrow"), (100, "-wide"), (150, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (SMALL[1], "-tall")]  # noqa: RUF012

    tab: reactive[str] = reactive("", init=False)

    class Fed(Message):
        """The feed brought something."""

        def __init__(self, delta: Delta) -> None:
            super().__init__()
            self.delta = delta

    def __init__(
        self, directory: Path, theme: str = "loopworks-dark", tick: float = 0.2, visit: Visit = USUAL
    ) -> None:  # fmt: skip
        super().__init__()
        self.visit = visit
        for each in themes():
            self.register_theme(each)
        self.theme = theme
        self.desk = Desk(directory, readonly=visit.readonly)
        self.feed = Feed(directory, self._fed, tick)
        self._tick = tick
        self._history = History(directory)
        self._previous = "org"
        self._said, self._banner = "", ""
        self._moment = 0  # that was asked for last, while it may still be folded
        self._drawn = 0.0
        self._seen: Snapshot | None = None  # what was drawn last
        self._waiting = False
        self._toured = False
        self._wanted = ""  # what the tab that is being opened shall select
        self._at = ""  # the tab that was opened last and has the focus
        self._touched = time.monotonic()
        self._garbage = Garbage()

    def run(self, **options: Any) -> None:
        """Show it until it is left; an engine that was started before keeps its priority."""
        give_way()
        super().run(**options)

    def compose(self) -> ComposeResult:
        yield Row(id="status")
        yield Tabs(TITLES, id="tabs")
        yield Static(id="banner", markup=False)
        yield Container(id="body")
        yield Static(f"The window is too small: make it {SMALL[0]}x{SMALL[1]} or larger.", id="small", markup=False)
        yield TourBar()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.set_keymap(self.visit.keymap)
        self.feed.start()
        self.set_interval(1.0, self._second)
        self._draw_status()
        self.query_one(Tabs).mark(self.tab)
        self.query_one("#status").tooltip = HELPS["status"].says
        self.query_one("#tabs").tooltip = HELPS["tabs"].says

    async def on_unmount(self) -> None:
        self.feed.stop()
        self._history.close()

    def is_settled(self) -> bool:
        return self._at == self.tab

    async def on_event(self, event: Event) -> None:
        """Whoever presses keys sees the company at once; a dashboard that is only open leaves the machine to it."""
        if isinstance(event, InputEvent) and not event.is_forwarded:
            self._touched = time.monotonic()
            self.feed.pace(self._tick)
        await super().on_event(event)

    def _fed(self, delta: Delta) -> None:
        self.post_message(self.Fed(delta))

    def on_dashboard_fed(self, event: Fed) -> None:
        """Fold what is new, and draw it not more often than can be seen."""
        try:
            self.desk.take(event.delta)
        except (LookupError, ValueError, TypeError, AttributeError, RuntimeError, ChartError):
            self.feed.stop()
            self.banner(f"event {self.desk.fold.seq + 1} does not follow: the ledger was altered, or is newer")
            return
        finally:
            self.feed.taken()
        self.hear()
        self._draw_soon()
        is_read = self.desk.whole.seq >= event.delta.total
        if is_read and not self.desk.whole.early:
            self._garbage.read(self.desk.whole.seq)
        caught_up = self.desk.whole.early or is_read
        if caught_up and not self.tab and self.desk.whole.is_founded:
            self.tab = "org"

    def _draw_soon(self) -> None:
        """Draw now, or as soon as the last drawing was seen for a moment."""
        wait = self._drawn + REST_S - time.monotonic()
        if wait <= 0:
            self._draw()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        if not self.query("#status"):  # a timer that ran out while the app ended
            return
        self._drawn, self._waiting = time.monotonic(), False
        self._draw_status()
        self._draw_banner()
        unchanged = self.desk.shot.early and self._seen is self.desk.shot
        if (not self.desk.replay or self.tab == "timeline") and not unchanged:
            self._draw_view()

    def _draw_view(self) -> None:
        view = self.view
        if view is not None and view.ready:
            self._seen = self.desk.shot
            view.draw()

    def _second(self) -> None:
        """What moves by the clock alone."""
        if not self.query("#status"):
            return
        if time.monotonic() - self._touched > LEFT_S:
            self.feed.pace(max(CALM_S, self._tick))
            self._garbage.rest(self.desk.fold.seq)
        if self.visit.engine is not None and not self.visit.engine.works():
            self._draw_banner()
        if self.desk.delta.engine == "live" and not self.desk.replay:
            self._draw_status()
            if self.tab == "slots":
                self._draw_view()

    def _draw_status(self) -> None:
        shot, now, lead = self.desk.shot, self.desk.situation(), self.lead()
        self.query_one("#status", Row).show(lambda room: (*lead, *status_line(shot, now, max(0, room - width(lead)))))

    def _draw_banner(self) -> None:
        delta = self.desk.delta
        dead = DEAD.format(self.desk.directory) if delta.engine == "dead" else ""
        failed = self.visit.engine.failure() if self.visit.engine is not None else ""
        early = EARLY if self.desk.whole.early else ""
        self.banner(delta.problem or failed or dead or self._said or early, keep=False)

    def banner(self, text: str, keep: bool = True) -> None:
        """A line over the body; "" takes it away. `keep` says that it stays until it is replaced."""
        if keep:
            self._said = text
        if text != self._banner:  # an update lays the whole screen out again
            self._banner = text
            shown = self.query_one("#banner", Static)
            shown.update(text)
            shown.set_class(bool(text), "-shown")

    @property
    def view(self) -> View | None:
        """The tab that is open."""
        found = self.query(f"#body > #{self.tab}") if self.tab else None
        return found.first(View) if found else None

    @property
    def place(self) -> str:
        return self.tab

    def copied(self) -> str:
        return self.view.copied() if self.view is not None else ""

    def draft(self) -> OrgChart | None:
        found = self.query("#body > #chart")
        return found.first(View).sound_draft() if found else None

    async def watch_tab(self, old: str, new: str) -> None:
        self._previous = old or new
        self.screen.minimize()
        body = self.query_one("#body", Container)
        for view in body.query_children(View):
            view.display = view.id == new
        if not body.query(f"#{new}"):
            await body.mount(make(new))
        self.query_one(Tabs).mark(new)
        self.call_after_refresh(self._entered)

    def _entered(self) -> None:
        view = self.view
        if view is not None:
            view.ready = True
            view.draw()
            view.enter()
            if self.visit.tour and not self._toured:
                self._toured = True
                self.query_one(TourBar).begin()
            wanted, self._wanted = self._wanted, ""
            if wanted:
                view.choose(wanted)
            self.call_later(self._arrived)

    def _arrived(self) -> None:
        self._at = self.tab

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        self.action_go(event.name)

    def action_go(self, tab: str) -> None:
        if self.desk.whole.is_founded:
            self.tab = tab

    def action_previous(self) -> None:
        self.action_go(self._previous)

    def open_agent(self, agent: str) -> None:
        """Show an agent's page."""
        self._open("agents", agent)

    def open_experiment(self, experiment: str) -> None:
        """Show an experiment's page."""
        self._open("experiments", experiment)

    def _open(self, tab: str, key: str) -> None:
        self._wanted = key
        if self.tab == tab:
            self._entered()
        self.action_go(tab)

    def action_goto(self) -> None:
        self.push_screen(GoTo(self._targets()), self._went)

    def _targets(self) -> list[Target]:
        state = self.desk.shot.state
        found = [Target("tab", name, title) for name, (title, _, _) in TABS.items()]
        found += [Target("agent", a.id, f"{a.id} {a.role} {a.brain.kind}") for a in state.agents.values()]
        found += [Target("theme", palette.name, palette.says) for palette in PALETTES.values()]
        experiments = reversed(state.experiments.values())
        return [
            *found,
            *(Target("experiment", e.id, f"{e.id} {e.proposer or e.purpose} {e.status}") for e in experiments),
        ]

    def _went(self, target: Target | None) -> None:
        if target is None:
            return
        go = {"tab": self.action_go, "agent": self.open_agent, "experiment": self.open_experiment, "theme": self._wear}
        go[target.kind](target.id)

    def action_step(self, sign: int) -> None:
        self._step(sign, frozenset())

    def action_change(self, sign: int) -> None:
        self._step(sign, CHANGES)

    def _step(self, sign: int, kinds: frozenset[str]) -> None:
        found = step(list(self.desk.whole.story), self._moment or self.desk.shot.seq, sign, kinds)
        if found is not None:
            self.show_moment(found)
        elif sign > 0:
            self.action_live()

    def action_live(self) -> None:
        self.workers.cancel_group(self, "replay")
        self._moment = 0
        self._show(self.desk.whole)

    def show_moment(self, seq: int) -> None:
        """Show the company as it stood after an event; the last one is the present."""
        if seq >= self.desk.whole.seq:
            self.action_live()
        else:
            self._moment = max(1, seq)
            self._fold(self._moment)

    @work(thread=True, exclusive=True, group="replay")
    def _fold(self, seq: int) -> None:
        worker = get_current_worker()
        try:
            shot = self._history.at(seq)
        except SourceError as error:
            self.call_from_thread(self.banner, str(error))
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._show, shot)

    def _show(self, shot: Snapshot) -> None:
        self.desk.shot = shot
        self._draw_status()
        self._draw_view()

    def action_maximise(self) -> None:
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None:
            self.screen.maximize(self.focused)

    def action_theme(self) -> None:
        names = list(PALETTES)
        self._wear(names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0])

    def _wear(self, theme: str) -> None:
        self.theme = theme
        self.notify(PALETTES[theme].says, markup=False, timeout=1.5)

    def _fatal_error(self) -> None:
        """One line and a file without anybody's data, instead of Textual's report with all local variables."""
        from rich.text import Text

        self._exit_renderables.append(Text(crash_line(self._exception)))
        self._close_messages_no_wait()
