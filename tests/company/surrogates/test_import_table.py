"""Anyone's table becomes a project, or one line says why it cannot."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from recording_kit import BEST, recorded

from company.cli import loopworks
from company.surrogates.catalogue import worlds
from company.surrogates.recording import read_recording


def lines(count: int = 60) -> list[dict[str, Any]]:
    """A table by hand: what `recorded` holds, under other people's names."""
    return [
        {**row.config, "loss": row.metric, "seed": row.seed, "seconds": row.seconds} for row in recorded(count).rows
    ]


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    path.write_text("\n".join(text) + "\n")
    return path


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def call(*words: object) -> Any:
    return CliRunner().invoke(loopworks, ["project", "import-table", *map(str, words)])


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_a_table_becomes_a_project_to_simulate(tmp_path: Path, write: Any) -> None:
    table, out = write(tmp_path / f"mine.{write.__name__[3:]}", lines()), tmp_path / "out.parquet"
    done = call(table, "--metric", "loss", "--name", "mine", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["trainings"] == len(lines())
    recording = read_recording(out)
    kinds = {p.name: (p.kind, p.log) for p in recording.space.parameters}
    assert kinds == {"rate": ("float", True), "depth": ("int", False), "width": ("choice", False),
                     "act": ("choice", False)}  # fmt: skip
    assert recording.about.name == "mine" and recording.about.source == "imported"
    assert recording.about.budget_seconds == pytest.approx(2.0, rel=0.1)
    (world,) = worlds(str(out), 0)
    assert world.regret(BEST) < 0.3 < world.regret(world.project().baseline)


def test_a_scale_is_logarithmic_where_numbers_are_spread_over_decades(tmp_path: Path) -> None:
    rng = random.Random(2)
    rows = [{"drop": rng.uniform(1e-4, 1), "rate": 10 ** rng.uniform(-4, 0), "metric": rng.random()} for _ in range(60)]
    call(as_csv(tmp_path / "t.csv", rows), "--out", tmp_path / "out.parquet")
    logs = {p.name: p.log for p in read_recording(tmp_path / "out.parquet").space.parameters}
    assert logs == {"drop": False, "rate": True}


def test_failures_curves_and_constants_are_understood(tmp_path: Path) -> None:
    rows = [{**row, "curve": [5.0, 4.0, 3.0, 2.0], "host": "one"} for row in lines()]
    rows[3]["loss"], rows[4]["loss"] = None, float("nan")
    rows[5]["curve"] = None
    out = tmp_path / "out.parquet"
    assert call(as_parquet(tmp_path / "t.parquet", rows), "--metric", "loss", "--out", out).exit_code == 0
    recording = read_recording(out)
    assert "host" not in recording.space.names
    assert [row.status for row in recording.rows[:6]] == ["ok"] * 3 + ["failed"] * 2 + ["ok"]
    assert recording.rows[3].failure == "crash" and recording.rows[5].curve is None
    assert recording.rows[0].curve == (5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 2.0, 2.0)


def test_rows_without_seeds_of_the_same_config_are_replicates(tmp_path: Path) -> None:
    rows = [{"x": i % 20 / 20, "metric": (i % 20) ** 2 + 0.1 * (i // 20)} for i in range(60)]
    assert call(as_csv(tmp_path / "t.csv", rows), "--out", tmp_path / "out.parquet").exit_code == 0
    recording = read_recording(tmp_path / "out.parquet")
    assert len({row.seed for row in recording.rows}) == 60
    assert recording.fit["scores"]["replicated"] == 20


def bad_tables(folder: Path) -> dict[str, tuple[Path, str]]:
    rows = lines(12)

    def changed(name: str, **values: Any) -> Path:
        return as_parquet(folder / f"{name}.parquet", [{**row, **values} for row in rows])

    (folder / "noise.csv").write_bytes(bytes(range(256)))
    (folder / "empty.csv").write_text("")
    (folder / "names.csv").write_text("x,metric\n")
    (folder / "ragged.csv").write_text("x,metric\n1,2\n3\n")
    (folder / "twice.csv").write_text("x,x,metric\n1,2,3\n2,3,4\n")
    (folder / "not.parquet").write_text("PAR1 no")
    (folder / "semicolons.csv").write_text("x;metric\n1;2\n2;3\n")
    (folder / "latin.csv").write_bytes("x,metric\né,1\nè,2\n".encode("latin-1"))
    (folder / "tabs.tsv").write_text("x\tmetric\n1\t2\n2\t3\n")
    return {
        "missing": (folder / "nowhere.csv", "does not exist"),
        "no metric": (as_csv(folder / "metric.csv", [{"x": 1}, {"x": 2}]), "--metric"),
        "not a table": (folder / "noise.csv", "noise.csv"),
        "empty": (folder / "empty.csv", "CSV"),
        "only names": (folder / "names.csv", "no rows"),
        "ragged": (folder / "ragged.csv", "CSV"),
        "a name twice": (folder / "twice.csv", "two columns 'x'"),
        "not Parquet": (folder / "not.parquet", "Parquet"),
        "nothing varies": (as_csv(folder / "same.csv", [{"x": 1, "metric": 1}, {"x": 1, "metric": 2}]), "varies"),
        "no number": (as_csv(folder / "word.csv", [{"x": 1, "metric": "a"}, {"x": 2, "metric": "b"}]), "not a number"),
        "nested": (changed("nested", odd=[1, 2]), "odd"),
        "a hole": (as_parquet(folder / "hole.parquet", [*rows[:-1], {**rows[-1], "rate": None}]), "'rate' is empty"),
        "bad seed": (changed("seed", seed="first"), "seed"),
        "bad seconds": (changed("seconds", seconds=-1.0), "seconds"),
        "bad status": (changed("status", status="finished"), "neither ok nor failed"),
        "other commas": (folder / "semicolons.csv", "by commas"),
        "Latin-1": (folder / "latin.csv", "UTF-8"),
        "tabs": (folder / "tabs.tsv", "must be a .csv"),
    }


@pytest.mark.parametrize("name", ["missing", "no metric", "not a table", "empty", "only names", "ragged",
                                  "a name twice", "not Parquet", "nothing varies", "no number", "nested", "a hole",
                                  "bad seed", "bad seconds", "bad status", "other commas", "Latin-1",
                                  "tabs"])  # fmt: skip
def test_a_bad_table_is_one_line_and_exit_2(tmp_path: Path, name: str) -> None:
    path, said = bad_tables(tmp_path)[name]
    metric = "loss" if name in ("nested", "a hole", "bad seed", "bad seconds", "bad status") else "metric"
    done = call(path, "--metric", metric, "--out", tmp_path / "out.parquet")
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1 and said in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_the_table_itself_is_never_overwritten(tmp_path: Path) -> None:
    table = as_parquet(tmp_path / "t.parquet", lines(12))
    was = table.read_bytes()
    assert call(table, "--metric", "loss", "--out", table).exit_code == 2
    assert table.read_bytes() == was


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    done = call(as_csv(tmp_path / "t.csv", [{"x": i, "metric": float(i)} for i in range(4)]), "--out", tmp_path)
    assert done.exit_code == 2 and "is a directory" in done.stderr and done.stderr.count("\n") == 1


def test_what_each_column_became_is_said_and_that_a_poor_model_is_poor(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [{"rate": 10 ** rng.uniform(-4, -1), "run": f"id{i}", "metric": rng.random()} for i in range(20)]
    done = call(as_csv(tmp_path / "t.csv", rows), "--out", tmp_path / "out.parquet")
    assert done.exit_code == 0, done.output
    assert "rate: float, 0.0" in done.stdout and "logarithmic" in done.stdout and "run: choice of id0, " in done.stdout
    assert "(20 values" in done.stdout and "hardly knows the project" in done.stderr


def test_too_small_a_table_is_kept_and_says_so(tmp_path: Path) -> None:
    rows = [{"x": i, "metric": float(i)} for i in range(4)]
    done = call(as_csv(tmp_path / "t.csv", rows), "--out", tmp_path / "out.parquet")
    assert done.exit_code == 0 and "too few" in done.stderr
    shown = CliRunner().invoke(loopworks, ["project", "surrogate", str(tmp_path / "out.parquet")])
    assert shown.exit_code == 2 and "needs at least" in shown.stderr


def test_what_is_said_of_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    call(as_csv(tmp_path / "t.csv", lines()), "--metric", "loss", "--out", out)
    shown = CliRunner().invoke(loopworks, ["project", "surrogate", str(out)])
    assert shown.exit_code == 0 and "R2 0.9" in shown.stdout and "rank correlation" in shown.stdout
    found = json.loads(CliRunner().invoke(loopworks, ["project", "surrogate", str(out), "--json"]).stdout)
    assert found["scores"]["r2"] > 0.9 and found["source"] == "imported"
    exact = CliRunner().invoke(loopworks, ["project", "surrogate", "valley"])
    assert exact.exit_code == 2 and "exact" in exact.stderr
