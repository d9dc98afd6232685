"""The file of a recording: what is written is read, and whatever else is found there is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording_kit import fails, recorded

from company.surrogates.catalogue import find_recording
from company.surrogates.fitting import fit, kept_fit, with_fit
from company.surrogates.recording import (
    KEY,
    RESERVED,
    About,
    Recording,
    RecordingError,
    read_recording,
    space_document,
    write_recording,
)
from projects.load import load_project
from projects.spec import Parameter, SearchSpace


def test_what_is_written_is_read(tmp_path: Path) -> None:
    recording = with_fit(recorded(40, failing=fails))
    write_recording(recording, tmp_path / "known.parquet")
    found = read_recording(tmp_path / "known.parquet")
    assert found.about == recording.about and found.fit == recording.fit
    for was, now in zip(recording.rows, found.rows, strict=True):
        assert (was.config, was.seed, was.status, was.failure, was.metric) == (
            now.config, now.seed, now.status, now.failure, now.metric,
        )  # fmt: skip
        assert now.curve == pytest.approx(was.curve, rel=1e-6, nan_ok=True) or None in (was.curve or ())
        assert now.seconds == pytest.approx(was.seconds)


def test_a_choice_between_values_of_several_types_survives(tmp_path: Path) -> None:
    recording = recorded(4)
    space = SearchSpace((Parameter("odd", "choice", values=(1, 0.5, "none", True)),))
    rows = tuple(
        replace(row, config={"odd": v}) for row, v in zip(recording.rows, (1, 0.5, "none", True), strict=False)
    )
    about = recording.about.model_copy(update={"space": space_document(space), "baseline": {"odd": "none"}})
    write_recording(Recording(about, rows), tmp_path / "odd.parquet")
    found = [row.config["odd"] for row in read_recording(tmp_path / "odd.parquet").rows]
    assert [(type(v), v) for v in found] == [(int, 1), (float, 0.5), (str, "none"), (bool, True)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "known.parquet"
    write_recording(recorded(20), path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(RecordingError) as problem:
        read_recording(path)
    line = str(problem.value)
    assert len(line.splitlines()) == 1 and str(path) in line
    return line


@pytest.mark.parametrize("at", [0, 3, 1000, -5, -200])
def test_a_damaged_file_is_refused(written: Path, tmp_path: Path, at: int) -> None:
    whole = written.read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:at])
    refused(tmp_path / "cut.parquet")


def test_a_flipped_byte_anywhere_never_crashes(written: Path, tmp_path: Path) -> None:
    whole, path = written.read_bytes(), tmp_path / "flipped.parquet"
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            read_recording(path)
        except RecordingError as error:
            assert len(str(error).splitlines()) == 1


def test_no_file_a_folder_and_a_plain_table_are_refused(written: Path, tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere.parquet")
    refused(tmp_path)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "plain.parquet")
    assert "import-table" in refused(tmp_path / "plain.parquet")


def altered(written: Path, path: Path, change: dict[str, Any], columns: dict[str, list[Any]] | None = None) -> Path:
    table = pq.read_table(written)
    about = {**json.loads(table.schema.metadata[KEY]), **change}
    for name, values in (columns or {}).items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(about)}), path)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "update Loopworks"),
        ({"surprise": 1}, "surprise"),
        ({"budget_seconds": -1}, "budget_seconds"),
        ({"source": "elsewhere"}, "source"),
        ({"space": {"rate": {"float": [1, 0]}}}, "swap"),
        ({"space": {"seed": {"float": [0, 1]}}}, "seed"),
        ({"space": {"other": {"float": [0, 1]}}}, "other"),
        ({"baseline": {"rate": 5.0, "depth": 2, "width": 16, "act": "tanh"}}, "baseline"),
        ({"costs": {"base": {}}}, "cannot be used"),
    ],
)
def test_wrong_metadata_are_named(written: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    assert said in refused(altered(written, tmp_path / "altered.parquet", change))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("rate", 7.0),
        ("metric", float("nan")),
        ("metric", None),
        ("status", "great"),
        ("seconds", -1.0),
        ("curve", [1.0]),
    ],
)
def test_a_wrong_row_is_named(written: Path, tmp_path: Path, column: str, value: Any) -> None:
    values = pq.read_table(written)[column].to_pylist()
    path = altered(written, tmp_path / "row.parquet", {}, {column: [*values[:4], value, *values[5:]]})
    assert "row 5" in refused(path)


def test_a_fit_that_does_not_belong_to_the_rows_is_made_again() -> None:
    recording = recorded(40)
    whole = fit(recording).model_dump(mode="json")
    assert kept_fit(replace(recording, fit=whole)) is not None
    falling, needless = ([[1.0, 0.0], [0.5, 1.0]], [[0.0, 0.0], [1.0, 1.0]])
    wrong = (
        {"model": 2}, {"lengths": [0.0]}, {"best": 9.0, "median": 1.0}, {"scale": "log error"}, {"noise": 1e9},
        {"scale": "log scores", "knots": falling}, {"knots": needless},
    )  # fmt: skip
    for change in wrong:
        assert kept_fit(replace(recording, fit={**whole, **change})) is None
    assert kept_fit(replace(recording, fit="nonsense")) is None


def test_the_page_names_every_column_and_every_field() -> None:
    page = (Path(__file__).parents[3] / "docs" / "recordings.md").read_text()
    assert all(f"`{name}`" in page for name in (*RESERVED, *About.model_fields))


@pytest.mark.parametrize(("name", "trainings"), [("digits", 2000), ("byte_lm", 400)])
def test_a_shipped_recording_is_what_was_asked_for(name: str, trainings: int) -> None:
    path = find_recording(name)
    recording, project = read_recording(path), load_project(name)
    assert len(recording.rows) >= trainings and path.stat().st_size < 500_000
    assert recording.space == project.space and recording.about.baseline == project.baseline
    assert recording.about.hashes["code"] == project.code_hash, "train.py changed: record it again"
    assert recording.about.hashes["evaluator"] == project.evaluator_hash, "evaluate.py changed: record it again"
    found = kept_fit(recording)
    assert found is not None and found.scores.r2 > 0.5
