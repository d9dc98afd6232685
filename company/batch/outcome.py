"""What a batch came to, from its stored rows: the analysis, the report's files, one JSON object."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from company.batch.grid import Grid
from company.batch.looks import note_on
from company.batch.race import Dropped
from company.batch.rows import Arm, Row
from company.batch.statistics import Analysis, analyse
from company.batch.store import Store
from company.wording import count, finite, percent

WITH_TRAILS = 5_000  # rows whose best-so-far curves are drawn; of more, those of the first seeds
LIBRARIES = ("loopworks", "numpy", "scipy")


def analysis_of(grid: Grid, store: Store, named: Arm | None = None) -> Analysis:
    """The statistics of all rows that there are, and a note where they were looked at before.

    Contrasts are against the arm that was `named`, else the best control, else the first arm.
    """
    numbered = store.rows(trails=True, below=WITH_TRAILS)
    rows = [row for _, row in numbered]
    rows += [row for number, row in store.rows() if number >= WITH_TRAILS]
    found = analyse(rows, grid.controls, named or (None if grid.controls else grid.base))
    return replace(found, notes=(*note_on(store.looks()), *found.notes))


def made(grid: Grid, store: Store, dropped: Sequence[Dropped], named: Arm | None = None) -> dict[str, object]:
    """How the batch was made: what a reader needs to make it again."""
    wanted = grid.scenario.model_dump(mode="json", exclude_defaults=True)
    budget = grid.arms[0].chart["budget"]
    found: dict[str, object] = {
        "scenario": json.dumps(wanted, ensure_ascii=False),
        "seeds": f"{grid.scenario.seed} to {grid.scenario.seed + grid.scenario.seeds - 1}",
        "budget of every arm": ", ".join(
            f"{value:g} {key.replace('_', ' ')}" for key, value in budget.items() if value
        ),
        "slots": grid.scenario.slots,
        "engine": grid.scenario.engine,
        "versions": ", ".join(f"{key} {value}" for key, value in store.versions().items()),
    }
    if named is not None:
        found["reference"] = f"{named}, as asked for"
    if dropped:
        found["dropped by the race"] = "; ".join(map(_dropped, dropped))
    return found


def write_report(analysis: Analysis, how: Mapping[str, object], folder: Path) -> None:
    """report.md, report.html and plots/ of a batch. Raises OSError."""
    from company.batch import plots
    from company.batch.report import markdown, page

    pictures = folder / "plots"
    pictures.mkdir(exist_ok=True)
    plots.write(analysis, pictures)
    _write(folder / "report.md", markdown(analysis, how, "plots"))
    _write(folder / "report.html", page(analysis, how))


def as_json(grid: Grid, store: Store, analysis: Analysis, dropped: Sequence[Dropped]) -> Iterator[str]:
    """One JSON object in pieces, a row at a time: scenario, rows, summary."""
    head = {"scenario": grid.scenario.model_dump(mode="json"), "versions": store.versions()}
    yield _dump(head)[:-1] + ', "rows": ['
    for i, (number, row) in enumerate(store.rows()):
        yield (", " if i else "") + _dump(row_dict(number, row))
    summary = {
        **analysis.to_dict(), "looks": list(store.looks()), "dropped": [_dropped_dict(each) for each in dropped],
    }  # fmt: skip
    yield f'], "summary": {_dump(finite(summary))}}}\n'


def row_dict(number: int, row: Row) -> dict[str, Any]:
    """A row as JSON; `stage` and `reason` where it failed."""
    found: dict[str, Any] = {
        "row": number, "chart": row.chart, "project": row.project, "settings": row.settings, "seed": row.seed,
        "digest": row.digest, "metrics": dict(row.metrics), "status": row.status,
    }  # fmt: skip
    return found if row.status == "ok" else {**found, "stage": row.stage, "reason": row.reason}


def versions(grid: Grid) -> dict[str, str]:
    """The versions that rows depend on, and the content of the recordings they were simulated with."""
    found = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    return found | {f"recording {name}": content for name in grid.projects if (content := _recording(name))}


def _recording(name: str) -> str:
    """A short hash of a recording's file, empty where the world is exact or one's own ledgers."""
    from company.surrogates.catalogue import find_recording
    from company.surrogates.world import WorldError

    try:
        return sha256(find_recording(name).read_bytes()).hexdigest()[:12]
    except (WorldError, OSError):
        return ""


def _dropped(each: Dropped) -> str:
    return f"{each.arm} after {count(each.seeds, 'seed')}, worse than {each.against} in {percent(each.worse)} of worlds"


def _dropped_dict(each: Dropped) -> dict[str, Any]:
    return {"arm": str(each.arm), "against": str(each.against), "seeds": each.seeds, "worse": each.worse}


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)
