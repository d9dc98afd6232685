"""Pictures of every tab, as SVG: `python -m tui.screenshots RUN_DIR OUT_DIR`; `--help` says what else."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tui.app import Dashboard
from tui.palette import PALETTES
from tui.tabs import TABS


async def picture(run: Path, out: Path, size: tuple[int, int], theme: str, seq: int | None = None) -> list[Path]:
    """Write a picture of every tab of a run; returns the files. `seq` shows an earlier moment."""
    out.mkdir(parents=True, exist_ok=True)
    app = Dashboard(run, theme)
    made = []
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        if seq is not None:
            app.show_moment(seq)
            await app.workers.wait_for_complete()
        for name in TABS:
            app.action_go(name)
            await pilot.pause(0.4)
            await app.workers.wait_for_complete()
            await pilot.pause()
            made.append(out / f"{name}.svg")
            made[-1].write_text(app.export_screenshot(title="loopworks tui"), encoding="utf-8")
    return made


async def settle(app: Dashboard, pilot: object) -> None:
    """Wait until the run has been read and its first tab is drawn."""
    pause = getattr(pilot, "pause")  # noqa: B009
    for _ in range(600):
        await pause(0.05)
        if (
            app.desk.whole.is_founded
            and not app.desk.whole.early
            and app.desk.whole.seq >= app.desk.delta.total
            and app.view is not None
            and app.view.ready
        ):
            await pause()
            return
    raise TimeoutError("the run could not be read within 30 seconds")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="140x42")
    parser.add_argument("--theme", choices=list(PALETTES), default="loopworks-dark")
    parser.add_argument("--at", type=int, default=None, help="an event's number, to show an earlier moment")
    args = parser.parse_args()
    columns, rows = (int(part) for part in args.size.split("x"))
    for path in asyncio.run(picture(args.run, args.out, (columns, rows), args.theme, args.at)):
        print(path)


if __name__ == "__main__":
    main()
