"""What `loopworks run` shows while it works: a live panel in a terminal, plain lines anywhere else.

Drawing happens where steps are handed in (and on a timer of the same event loop), never in a thread: the state that
is drawn cannot change meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from company import events as ev
from company.console_panel import Scene, panel, waiting
from company.engine import Step
from company.narration import narrate, notable
from company.standing import progress
from company.state import State
from company.wording import plain, span

FASTEST_S = 0.125  # between two drawings; a drawing costs about 5 ms
IDLE_S = 0.5  # clocks move on while nothing happens
NEWS = 40


class RunConsole:
    """Shows a run on `console` (standard error). `plain` writes notable events as lines, without control codes."""

    def __init__(self, console: Console, plain: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._plain, self._clock = console, plain, clock
        self._news: deque[tuple[float, str]] = deque(maxlen=NEWS)
        self._started: dict[str, float] = {}  # experiment -> when we saw it start
        self._live: Live | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._state: State | None = None
        self._opened = self._drawn = 0.0
        self._begun: tuple[float, float] | None = None  # time and share done at the first step

    def __enter__(self) -> Self:
        self._opened = self._clock()
        if not self._plain:
            self._live = Live(waiting(), console=self._console, auto_refresh=False, transient=True)
            self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._live is not None:
            self._live.stop()

    def on_step(self, state: State, step: Step) -> None:
        """Take note of a recorded step; draws at most eight times a second."""
        self._state = state
        if self._begun is None:
            self._begun = self._clock(), progress(state).share
        for _, event in step.events:
            self._note(state, event)
        if self._live is not None:
            self._draw_soon()

    def _note(self, state: State, event: ev.Event) -> None:
        if isinstance(event, ev.ExperimentStarted):
            self._started[event.experiment] = self._clock()
        line = narrate(state, event) if notable(state, event) else None
        if line is None:
            return
        elapsed = self._clock() - self._opened
        self._news.append((elapsed, line))
        if self._live is None:
            self._console.print(Text(f"{span(elapsed):>7}  {line}"), soft_wrap=True, highlight=False)

    def _draw_soon(self) -> None:
        """Draw now if the last drawing is old enough, and keep the timer going where there is an event loop."""
        if self._clock() - self._drawn >= FASTEST_S:
            self._draw()
        if self._timer is None:
            self._tick()

    def _tick(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._clock() - self._drawn >= FASTEST_S:
            self._draw()
        self._timer = loop.call_later(IDLE_S, self._tick)

    def _draw(self) -> None:
        if self._live is None or self._state is None:
            return
        self._drawn = self._clock()
        size = self._console.size
        self._live.update(panel(self._scene(self._state), size.width, size.height), refresh=True)

    def _scene(self, state: State) -> Scene:
        now = self._clock()
        running = {e: now - self._started.setdefault(e, now) for e in state.running.values()}
        return Scene(state, now - self._opened, self._left(state), running, list(self._news))

    def _left(self, state: State) -> float | None:
        """Seconds left if the rest goes as fast as what this process has seen, None before that can be said."""
        share, (since, start) = progress(state).share, self._begun or (self._opened, 0.0)
        if share - start < 0.05:
            return None
        return (self._clock() - since) * (1 - share) / (share - start)

    def say(self, text: str) -> None:
        """Show a line of the program's own above the panel."""
        self._console.print(Text(plain(text, 500)), soft_wrap=True, highlight=False)
