"""A batch goes on with more seeds in the same directory, and says how often it was looked at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from command_kit import batch, invoke, refused, rows_of, tamper

from company.batch.store import Store

SMALL = ("startup", "--project", "bowl", "--project", "nk:N=8,K=2", "--experiments", "4", "--jobs", "1")
TINY = ("solo", "--project", "bowl", "--experiments", "3", "--jobs", "1", "--no-controls")
AGAIN = "intervals and p values do not allow for looking again"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of two seeds, reported; copy it before anything is done with it."""
    out = tmp_path_factory.mktemp("begun") / "a"
    batch(out, *TINY, *seeds(2))
    return out


@pytest.fixture
def out(begun: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(begun, tmp_path / "a"))


def looks(folder: Path) -> tuple[int, ...]:
    store = Store(folder / "results.sqlite")
    try:
        return store.looks()
    finally:
        store.close()


def seeds(n: int) -> tuple[str, ...]:
    return ("--seeds", str(n))


def texts(out: Path) -> list[str]:
    """Both reports, without Markdown's escapes."""
    return [(out / name).read_text().replace("\\", "") for name in ("report.md", "report.html")]


def test_rows_of_more_seeds_are_those_of_a_batch_begun_with_as_many(tmp_path: Path) -> None:
    first = batch(tmp_path / "a", *SMALL, *seeds(2))
    more = batch(tmp_path / "a", *SMALL, *seeds(4))
    whole = batch(tmp_path / "b", *SMALL, *seeds(4))
    assert more["rows"][: len(first["rows"])] == first["rows"]
    assert rows_of(tmp_path / "a") == rows_of(tmp_path / "b")
    last = len(more["rows"]) - 1
    assert more["scenario"] == whole["scenario"]
    assert invoke("replay", str(tmp_path / "a"), str(last)).exit_code == 0


def test_looks_at_different_numbers_of_seeds_are_said_everywhere(out: Path) -> None:
    for n in (2, 3):
        found = batch(out, *TINY, *seeds(n))
        said = [*texts(out), *found["summary"]["notes"]]
        assert any(AGAIN in text for text in said) is (n == 3)
    assert found["summary"]["looks"] == [2, 3]
    assert found["summary"]["notes"][0].startswith(f"Looked at after 2 and 3 seeds: {AGAIN}")
    result = invoke("batch", *TINY, *seeds(5), "--out", str(out))
    assert f"Looked at after 2, 3 and 5 seeds: {AGAIN}" in " ".join(result.stdout.split())
    assert all(f"Looked at after 2, 3 and 5 seeds: {AGAIN}" in text for text in texts(out))


def test_fewer_seeds_are_refused_with_what_is_there(out: Path) -> None:
    said = refused(*TINY, *seeds(1), "--out", str(out))
    assert "holds a batch of 2 seeds, not 1: ask for --seeds 2 or more" in said
    assert len(rows_of(out)) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--slots", "3"), "of slots 2, not 3"),
        (("--seed", "1"), "of seed 0, not 1"),
        (("--race",), "of race false, not true"),
        (("--project", "valley"), 'of projects ["bowl"], not ["bowl","valley"]'),
    ],
)
def test_more_seeds_and_another_change_are_refused_for_the_other(more: tuple[str, ...], said: str, out: Path) -> None:
    assert said in refused(*TINY, *seeds(3), *more, "--out", str(out))
    assert looks(out) == (2,) and len(rows_of(out)) == 2


def test_a_race_has_the_seeds_it_was_planned_for(tmp_path: Path) -> None:
    words = (*TINY, "--race", "--out", str(tmp_path / "a"))
    batch(tmp_path / "a", *TINY, "--race", *seeds(21))
    for n in (20, 22):
        said = refused(*words, *seeds(n))
        assert "holds a race over 21 seeds, for which its looks were planned: ask for --seeds 21" in said


def test_more_seeds_that_were_cut_short_go_on_with_the_same_command(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, add = list[int](), Store.add

    def interrupted(self: Store, rows: Iterable[Any]) -> None:
        if added:
            raise KeyboardInterrupt
        added.append(1)
        add(self, rows)

    monkeypatch.setattr(Store, "add", interrupted)
    result = invoke("batch", *TINY, *seeds(9), "--out", str(out))
    monkeypatch.undo()
    assert result.exit_code == 130 and "3 of 9 rows are kept" in result.output
    assert "holds a batch of 9 seeds" in refused(*TINY, *seeds(2), "--out", str(out))
    assert batch(out, *TINY, *seeds(9))["summary"]["looks"] == [2, 9]
    batch(tmp_path / "whole", *TINY, *seeds(9))
    assert rows_of(out) == rows_of(tmp_path / "whole")


def test_seeds_that_nobody_saw_reported_are_no_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "add", interrupted)
    assert invoke("batch", *TINY, *seeds(2), "--out", str(tmp_path / "a")).exit_code == 130
    monkeypatch.undo()
    found = batch(tmp_path / "a", *TINY, *seeds(3))["summary"]
    assert found["looks"] == [3] and not any(AGAIN in note for note in found["notes"])


@pytest.mark.parametrize(("reported", "found"), [(True, (2,)), (False, ())])
def test_a_report_of_before_looks_were_noted_is_one(reported: bool, found: tuple[int, ...], out: Path) -> None:
    tamper(out, "DELETE FROM about WHERE key = 'looks'")
    if not reported:
        (out / "report.md").unlink()
    assert looks(out) == found
    if reported:
        assert batch(out, *TINY, *seeds(3))["summary"]["looks"] == [2, 3]


def test_a_scenario_file_goes_on_with_more_seeds(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    asked = {"charts": ["solo"], "projects": ["bowl"], "experiments": 3, "controls": False}
    for n in (2, 3):
        file.write_text(json.dumps({**asked, "seeds": n}))
        found = batch(tmp_path / "a", str(file), "--jobs", "1")
    assert len(found["rows"]) == 3 and found["summary"]["looks"] == [2, 3]
