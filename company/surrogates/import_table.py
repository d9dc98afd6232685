"""Anyone's table as a recording: a Parquet or CSV file with columns of settings, a metric, and what else it may have.

Known by name: `seed`, `metric` (or another column, if named), `seconds`, `status`, `failure`, `cost` and `curve`; every
other column is a parameter. A number with more than WORDS_UP_TO values is a range, logarithmic where it spans more than
two decades and is spread over them; anything else is a choice.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from company.surrogates.recording import (
    MOST_COLUMNS,
    MOST_ROWS,
    RESERVED,
    RUNGS,
    About,
    Curve,
    MetricAbout,
    Recording,
    RecordingError,
    Row,
    read_parquet,
    space_document,
)  # fmt: skip
from projects.spec import Parameter, SearchSpace, Value

WORDS_UP_TO = 8  # different numbers are a choice between numbers
MOST_WORDS = 200  # of a choice
LOG_DECADES = 2.0
LOG_BELOW = 0.25  # of the values lie under the geometric middle: half of log-uniform ones, few of uniform ones
LARGEST_CSV = 256 << 20

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person says about a table; empty where it is to be found out."""

    metric: str = "metric"
    direction: Literal["min", "max"] = "min"
    name: str = ""
    command: str = ""


def import_table(path: Path, wanted: Wanted) -> Recording:
    """Read a table. Raises RecordingError with one line: file, what is wrong, what to do."""
    columns = _read(path)
    if wanted.metric not in columns:
        there = ", ".join(list(columns)[:12])
        how = "separate columns by commas" if len(columns) == 1 and set(there) & set(";\t") else "name it with --metric"
        raise RecordingError(f"{path}: no column '{wanted.metric}' of the metric: {how}; there is {there}")
    if wanted.metric != "metric" and "metric" in columns:
        raise RecordingError(f"{path}: has a column 'metric' beside '{wanted.metric}': rename or drop it")
    columns["metric"] = columns.pop(wanted.metric)
    names = [name for name in columns if name not in RESERVED]
    space = SearchSpace(tuple(p for name in names if (p := _parameter(path, name, columns[name])) is not None))
    if not space.parameters:
        raise RecordingError(f"{path}: no column varies beside the metric's: a project needs settings to choose")
    took = [s for i in range(len(columns["metric"])) if (s := _time(path, i, columns, "seconds"))]
    budget = sum(took) / len(took) if took else 1.0
    rows = tuple(_row(path, i, columns, space, budget) for i in range(len(columns["metric"])))
    if not any(row.status == "ok" for row in rows):
        raise RecordingError(f"{path}: no row has a number in '{wanted.metric}'")
    return Recording(_about(path, wanted, space, rows, budget), rows)


def _read(path: Path) -> Columns:
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    names = table.column_names
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise RecordingError(f"{path}: has two columns '{doubled[0]}': rename one")
    if not table.num_rows:
        raise RecordingError(f"{path}: has no rows")
    if table.num_rows > MOST_ROWS or table.num_columns > MOST_COLUMNS:
        raise RecordingError(f"{path}: is larger than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns")
    return {name: table[name].to_pylist() for name in names if not name.startswith("__index")}


def _read_parquet(path: Path) -> Any:
    try:
        return read_parquet(path)
    except RecordingError as error:
        hint = "" if path.suffix.lower() == ".parquet" or not path.is_file() else "; a table of text must be a .csv"
        raise RecordingError(f"{error}{hint}") from None


def _read_csv(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    try:
        if path.stat().st_size > LARGEST_CSV:
            raise RecordingError(f"{path}: is larger than {LARGEST_CSV >> 20} MB")
        return csv.read_csv(path)
    except FileNotFoundError:
        raise RecordingError(f"{path}: does not exist") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise RecordingError(f"{path}: cannot be read as CSV with a line of names first ({reason})") from None


def _parameter(path: Path, name: str, values: Sequence[Any]) -> Parameter | None:
    """The parameter that a column is, None for one that never varies."""
    if any(value is None for value in values):
        row = next(i for i, value in enumerate(values) if value is None)
        raise RecordingError(f"{path}: row {row + 1}: '{name}' is empty: fill it in or drop the row")
    kinds = {type(value) for value in values}
    if bytes in kinds:
        raise RecordingError(f"{path}: column '{name}' is not UTF-8: save the table as UTF-8")
    if not kinds <= {int, float, bool, str}:
        raise RecordingError(
            f"{path}: column '{name}' holds {sorted(k.__name__ for k in kinds)[0]}s: drop or flatten it"
        )
    different = sorted(set(values))
    if len(different) < 2:
        return None
    if kinds <= {int, float}:
        return _number(path, name, different)
    if len(different) > MOST_WORDS:
        raise RecordingError(f"{path}: column '{name}' has {len(different)} different words: drop it, or group them")
    return Parameter(name, "choice", values=tuple(different))


def _number(path: Path, name: str, different: Sequence[float]) -> Parameter:
    if not all(math.isfinite(value) for value in different):
        raise RecordingError(f"{path}: column '{name}' holds nan or inf: drop those rows")
    if len(different) <= WORDS_UP_TO:
        return Parameter(name, "choice", values=tuple(different))
    low, high = different[0], different[-1]
    log = low > 0 and math.log10(high / low) > LOG_DECADES and _low(different) >= LOG_BELOW
    if all(type(value) is int for value in different):
        return Parameter(name, "int", low, high, log)
    return Parameter(name, "float", low, high, log)


def _low(values: Sequence[float]) -> float:
    """The share of sorted numbers above 0 that is under the geometric mean of the first and the last."""
    return bisect_left(values, math.sqrt(values[0]) * math.sqrt(values[-1])) / len(values)


def _row(path: Path, i: int, columns: Columns, space: SearchSpace, budget: float) -> Row:
    config: dict[str, Value] = {name: columns[name][i] for name in space.names}
    found: Mapping[str, Any] = {name: columns[name][i] if name in columns else None for name in RESERVED}
    metric = _finite(path, i, "metric", found["metric"])
    failed = metric is None or _status(path, i, found["status"]) == "failed"
    seconds, cost = (_time(path, i, columns, name) for name in ("seconds", "cost"))
    failure = str(found["failure"] or "crash") if failed else None
    return Row(
        config, _seed(path, i, found["seed"]), "failed" if failed else "ok", failure,
        None if failed else metric, seconds, cost or budget, _curve(path, i, found["curve"]),
    )  # fmt: skip


def _status(path: Path, i: int, value: Any) -> str:
    if value in (None, "", "ok", "failed"):
        return value or "ok"
    raise RecordingError(f"{path}: row {i + 1}: status is {str(value)[:40]!r}, neither ok nor failed")


def _time(path: Path, i: int, columns: Columns, name: str) -> float | None:
    found = _finite(path, i, name, columns[name][i]) if name in columns else None
    if found is not None and found < 0:
        raise RecordingError(f"{path}: row {i + 1}: {name} is {found:g}, below 0")
    return found


def _finite(path: Path, i: int, name: str, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
        raise RecordingError(f"{path}: row {i + 1}: {name} is {str(value)[:40]!r}, not a number")
    return float(value) if value is not None and math.isfinite(value) else None


def _seed(path: Path, i: int, value: Any) -> int:
    """The row's seed; where there is none, its number, so that rows of one config are replicates."""
    if value is None:
        return i
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or abs(value) >= 2**63:
        raise RecordingError(f"{path}: row {i + 1}: seed is {str(value)[:40]!r}, not a whole number")
    return int(value)


def _curve(path: Path, i: int, values: Any) -> Curve | None:
    """A list of losses, evenly spaced over the run, read at RUNGS."""
    if values is None or (isinstance(values, list) and not values):
        return None
    if not isinstance(values, list) or not all(isinstance(v, (int, float, type(None))) for v in values):
        raise RecordingError(f"{path}: row {i + 1}: curve is not a list of numbers")
    picked = [values[math.ceil(round(f * len(values), 9)) - 1] for f in RUNGS]
    return tuple(float(v) if v is not None and math.isfinite(v) else None for v in picked)


def _about(path: Path, wanted: Wanted, space: SearchSpace, rows: Sequence[Row], budget: float) -> About:
    """The baseline is the config with the median metric; the budget the mean of what a run took."""
    worked = sorted((row for row in rows if row.metric is not None), key=lambda row: row.metric or 0.0)
    name = (wanted.name or path.stem)[:100]
    return About(
        format=1, name=name, title=name, source="imported", command=wanted.command[:1000],
        metric=MetricAbout(name=wanted.metric[:200], direction=wanted.direction), space=space_document(space),
        baseline=dict(worked[len(worked) // 2].config), budget_seconds=budget,
    )  # fmt: skip
