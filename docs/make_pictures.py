"""Make the README's picture of a run from a real ledger: the live display as it stood after a share of the events.

python docs/make_pictures.py RUN_DIR [--share 0.6]
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from rich.console import Console

from company.console_panel import Scene, panel
from company.ledger import Ledger
from company.narration import narrate, notable
from company.state import State

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 112, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--share", type=float, default=0.6)
    args = parser.parse_args()
    events = list(Ledger(args.directory / "ledger.sqlite").events())
    state, news, started = State(), [], {}
    began = events[0].wall
    shown = events[: max(1, int(len(events) * args.share))]
    for recorded in shown:
        state.apply(recorded.event, recorded.at)
        if recorded.event.kind == "ExperimentStarted":
            started[recorded.event.experiment] = recorded.wall - began  # type: ignore[attr-defined]
        line = narrate(state, recorded.event)
        if line and notable(state, recorded.event):
            news.append((recorded.wall - began, line))
    now = shown[-1].wall - began
    left = (events[-1].wall - began) - now
    held = {experiment: now - at for experiment, at in started.items()}
    scene = Scene(state, now, left, held, news)
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(panel(scene, WIDTH, HEIGHT))
    PICTURES.mkdir(exist_ok=True)
    console.save_svg(str(PICTURES / "run.svg"), title="loopworks run")


if __name__ == "__main__":
    main()
