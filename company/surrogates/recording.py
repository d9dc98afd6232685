"""A recording: trainings of one project as a table, in one Parquet file that says how it was made (docs/recordings.md).

One row a training: a column for each parameter, then `seed, status, failure, metric, seconds, cost, curve`. What the
file is about lies in its metadata as JSON, checked on reading. Nothing in a file is ever executed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from projects.read_costs import read_costs
from projects.read_space import read_space
from projects.spec import Config, CostTable, Metric, Parameter, SearchSpace, Value

FORMAT = 1
KEY, FIT_KEY = b"loopworks", b"loopworks.fit"  # of the metadata
RESERVED = ("seed", "status", "failure", "metric", "seconds", "cost", "curve")
RUNGS = tuple(n / 8 for n in range(1, 9))  # of a curve
LARGEST_FILE = 64 << 20
LARGEST_TABLE = 1 << 30  # bytes, unpacked
MOST_ROWS, MOST_COLUMNS = 1_000_000, 300

Curve = tuple[float | None, ...]


class RecordingError(Exception):
    """A recording cannot be read, or a table cannot become one; the message is one line: file, what, what to do."""


class MetricAbout(BaseModel):
    """What the evaluator measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    unit: str = Field(default="", max_length=50)
    direction: Literal["min", "max"] = "min"


class About(BaseModel):
    """The metadata of a recording. `space` is written as in project.yaml, `costs` as in costs.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    format: int
    name: str = Field(min_length=1, max_length=100)
    title: str = Field(default="", max_length=300)
    version: int = Field(default=1, ge=1)
    source: Literal["trained", "imported", "ledger"]
    metric: MetricAbout
    space: dict[str, dict[str, Any]]
    baseline: dict[str, str | bool | int | float]
    budget_seconds: float = Field(gt=0)
    costs: dict[str, Any] | None = None
    hashes: dict[str, str] = {}  # sha256 of train.py ("code"), evaluate.py and what it seals ("evaluator"), the data
    machine: str = Field(default="", max_length=300)
    cores: int | None = Field(default=None, ge=1)
    slots: int | None = Field(default=None, ge=1)
    versions: dict[str, str] = {}
    command: str = Field(default="", max_length=1000)


@dataclass(frozen=True, slots=True)
class Row:
    """One training. `metric` is None where it failed; `curve` the training loss at RUNGS, None where it was not seen.

    `seconds` is what it took (the processor's seconds, where we recorded it), `cost` the cost table's slot-seconds.
    """

    config: Config
    seed: int
    status: Literal["ok", "failed"]
    failure: str | None
    metric: float | None
    seconds: float | None
    cost: float
    curve: Curve | None = None


@dataclass(frozen=True)
class Recording:
    """A table of trainings with what it is about; `fit` is what fitting.py found out about it, unchecked."""

    about: About
    rows: tuple[Row, ...]
    fit: Any = None

    @cached_property
    def space(self) -> SearchSpace:
        return SearchSpace(tuple(_parameters(self.about.space)))

    @property
    def metric(self) -> Metric:
        about = self.about.metric
        return Metric(about.name, about.unit, about.direction)

    @cached_property
    def costs(self) -> CostTable:
        """The project's cost table; where there was none, every run costs the budget, a hundredth each step."""
        if self.about.costs is None:
            return CostTable(1, "none", (), {"": self.about.budget_seconds / 100})
        return read_costs(json.dumps(self.about.costs))


def space_document(space: SearchSpace) -> dict[str, dict[str, Any]]:
    """A search space as project.yaml writes it."""
    return {parameter.name: _parameter_document(parameter) for parameter in space.parameters}


def check_names(space: SearchSpace, where: str) -> None:
    """Raises RecordingError where a parameter has the name of a column that every recording has."""
    if taken := sorted(set(space.names) & set(RESERVED)):
        raise RecordingError(f"{where}: parameter '{taken[0]}' has the name of a column of every recording: rename it")


def _parameter_document(parameter: Parameter) -> dict[str, Any]:
    if parameter.kind == "choice":
        found: dict[str, Any] = {"choice": list(parameter.values)}
    else:
        found = {parameter.kind: [parameter.low, parameter.high], "log": parameter.log}
    return {**found, "shape": parameter.shape, "about": parameter.about}


def _parameters(document: Mapping[str, Any]) -> Iterable[Parameter]:
    problems: list[str] = []
    space = read_space(document, problems.append)
    if problems:
        raise ValueError(problems[0])
    if taken := sorted(set(space.names) & set(RESERVED)):
        raise ValueError(f"space: '{taken[0]}' is the name of a column of every recording")
    return space.parameters


def write_recording(recording: Recording, path: Path) -> None:
    """Write the file, whole or not at all. Raises RecordingError where it cannot be written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {KEY: recording.about.model_dump_json().encode()}
    if recording.fit is not None:
        metadata[FIT_KEY] = json.dumps(recording.fit, allow_nan=False).encode()
    columns = {p.name: _column(p, [row.config[p.name] for row in recording.rows]) for p in recording.space.parameters}
    rows = recording.rows
    columns |= {
        "seed": pa.array([row.seed for row in rows], pa.int64()),
        "status": pa.array([row.status for row in rows], pa.string()),
        "failure": pa.array([row.failure for row in rows], pa.string()),
        "metric": pa.array([row.metric for row in rows], pa.float64()),
        "seconds": pa.array([row.seconds for row in rows], pa.float32()),
        "cost": pa.array([row.cost for row in rows], pa.float32()),
        "curve": pa.array([row.curve for row in rows], pa.list_(pa.float32())),
    }
    table = pa.table(columns).replace_schema_metadata(metadata)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, partial, compression="zstd", compression_level=15)
        partial.replace(path)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written ({error.strerror or error}): name another file") from None
    finally:
        partial.unlink(missing_ok=True)


def _column(parameter: Parameter, values: Sequence[Value]) -> Any:
    import pyarrow as pa

    return pa.array([str(v) for v in values] if _as_text(parameter) else values)


def _as_text(parameter: Parameter) -> bool:
    """A column has one type: a choice between values of several types is written as text."""
    return parameter.kind == "choice" and len({type(value) for value in parameter.values}) > 1


def read_recording(path: Path | str) -> Recording:
    """Read and check a file. Raises RecordingError with one line."""
    table = read_parquet(Path(path))
    found = (table.schema.metadata or {}).get(KEY)
    if found is None:
        raise RecordingError(f"{path}: is a table, not a recording: make one of it with loopworks project import-table")
    about = _about(path, found)
    try:
        recording = Recording(about, ())
        space = recording.space
        _ = recording.costs
        rows = tuple(_rows(table, space))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise RecordingError(f"{path}: cannot be used: {_line(reason)}") from None
    if problems := space.check(about.baseline):
        raise RecordingError(f"{path}: baseline: {_line(problems[0])}")
    return Recording(about, rows, _json(table.schema.metadata.get(FIT_KEY, b"null")))


def _json(text: bytes) -> Any:
    """A document that may be anything; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_parquet(path: Path) -> Any:
    """A Parquet file as an Arrow table, within bounds. Raises RecordingError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        size = path.stat().st_size
        if not path.is_file() or size > LARGEST_FILE:
            raise RecordingError(f"{path}: is no file of at most {LARGEST_FILE >> 20} MB")
        with pq.ParquetFile(path) as file:
            facts = file.metadata
            unpacked = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
            if facts.num_rows > MOST_ROWS or facts.num_columns > MOST_COLUMNS or unpacked > LARGEST_TABLE:
                raise RecordingError(f"{path}: is larger than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns")
            table = file.read()
        table.validate(full=True)
    except FileNotFoundError:
        raise RecordingError(f"{path}: does not exist") from None
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({_line(error.strerror or str(error))})") from None
    except (pa.ArrowException, ValueError, MemoryError) as error:
        raise RecordingError(f"{path}: is not a readable Parquet file ({_line(str(error))})") from None
    return table


def _about(path: Path | str, text: bytes) -> About:
    try:
        document = json.loads(text)
        version = document.get("format") if isinstance(document, dict) else None
        if type(version) is int and version > FORMAT:
            raise RecordingError(f"{path}: has format {version}, this Loopworks reads {FORMAT}: update Loopworks")
        return About.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RecordingError(f"{path}: its metadata are wrong: {_line(place)}: {_line(first['msg'])}") from None
    except (ValueError, RecursionError):
        raise RecordingError(f"{path}: its metadata are not JSON") from None


def _rows(table: Any, space: SearchSpace) -> Iterable[Row]:
    columns = {name: table[name].to_pylist() for name in (*space.names, *RESERVED)}
    texts = {p.name: {str(value): value for value in p.values} for p in space.parameters if _as_text(p)}
    for i in range(table.num_rows):
        config = {name: columns[name][i] for name in space.names}
        config |= {name: known.get(config[name], config[name]) for name, known in texts.items()}
        try:
            yield _row(config, {name: columns[name][i] for name in RESERVED}, space)
        except ValueError as error:
            raise ValueError(f"row {i + 1}: {error}") from None


def _row(config: Config, found: Mapping[str, Any], space: SearchSpace) -> Row:
    if problems := space.check(config):
        raise ValueError(problems[0])
    seed, status, metric, curve = found["seed"], found["status"], found["metric"], found["curve"]
    if type(seed) is not int or status not in ("ok", "failed"):
        raise ValueError("needs a whole number as seed, and a status of ok or failed")
    if (status == "ok") != (isinstance(metric, float) and math.isfinite(metric)):
        raise ValueError("needs a finite metric where its status is ok, and none where it failed")
    seconds, cost = found["seconds"], found["cost"]
    if not (_is_time(cost) and (seconds is None or _is_time(seconds))):
        raise ValueError("seconds and cost must be numbers from 0")
    if curve is not None:
        if not isinstance(curve, list) or len(curve) != len(RUNGS):
            raise ValueError(f"a curve has {len(RUNGS)} values")
        curve = tuple(value if value is not None and math.isfinite(value) else None for value in curve)
    return Row(config, seed, status, found["failure"], metric, seconds, cost, curve)


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value >= 0


def _line(text: str) -> str:
    """At most one line of printable text."""
    first = (text.strip().splitlines() or ["?"])[0]
    return "".join(c if c.isprintable() else "?" for c in first)[:200]
