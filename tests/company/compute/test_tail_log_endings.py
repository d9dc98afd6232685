"""The parts that need no process: following metrics, cutting logs, naming failures, rungs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company.compute.endings import Facts, Why, oom_kills, why
from company.compute.log import Log, clean
from company.compute.tail import CURVE_POINTS, Curve, MetricsTail, Rungs, rung_steps
from company.compute.workers import Ended


def test_a_line_counts_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = MetricsTail(path, 10)
    assert tail.poll() == []
    with path.open("ab", buffering=0) as file:
        file.write(b'{"step": 1, "lo')
        assert tail.poll() == []
        file.write(b'ss": 2.5}\n{"step": 2, "loss": 2}')
        assert tail.poll() == [(1, 2.5)]
    assert tail.finish() == [(2, 2.0)]
    assert tail.finish() == []


@pytest.mark.parametrize("line", ["null", "3", '{"step": true, "loss": 1}', '{"step": 1.0, "loss": 1}', '{"loss": 1}',
                                  '{"step": 1, "loss": "x"}', '{"step": 1, "loss": true}', "[" * 3000, ""])  # fmt: skip
def test_what_is_no_metric_is_skipped(tmp_path: Path, line: str) -> None:
    (tmp_path / "m").write_text(line + "\n")
    tail = MetricsTail(tmp_path / "m", 10)
    assert tail.poll() == [] and tail.skipped == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "null"])
def test_nothing_counts_after_a_loss_that_is_no_number(tmp_path: Path, value: str) -> None:
    (tmp_path / "m").write_text(f'{{"step": 1, "loss": 1}}\n{{"step": 2, "loss": {value}}}\n{{"step": 3, "loss": 1}}\n')
    tail = MetricsTail(tmp_path / "m", 10)
    assert tail.poll() == [(1, 1.0)] and tail.nonfinite == 2


@pytest.mark.parametrize("plant", ["symlink", "hardlink", "folder"])
def test_only_a_plain_file_is_followed(tmp_path: Path, plant: str) -> None:
    path, other = tmp_path / "m", tmp_path / "other"
    other.write_text('{"step": 1, "loss": 1}\n')
    {"symlink": lambda: path.symlink_to(other), "hardlink": lambda: path.hardlink_to(other), "folder": path.mkdir}[
        plant
    ]()
    assert MetricsTail(path, 10).poll() == []


@given(st.integers(1, 2000))
def test_a_curve_stays_short_and_keeps_both_ends(count: int) -> None:
    curve = Curve()
    for step in range(1, count + 1):
        curve.add(step, 1 / step)
    whole = curve.whole()
    assert whole[0] == (1, 1.0) and whole[-1] == (count, 1 / count)
    assert len(whole) <= CURVE_POINTS + 1 and len(set(whole)) == len(whole)


@given(st.lists(st.floats(0.01, 1.0), max_size=6), st.integers(1, 500), st.data())
def test_rungs_are_reported_once_in_order_at_the_first_step_that_reaches_them(
    fractions: list[float], steps: int, data: st.DataObject
) -> None:
    targets = rung_steps(tuple(sorted(fractions)), steps)
    seen = sorted(data.draw(st.sets(st.integers(1, steps), min_size=1)) | {steps})
    rungs = Rungs(targets)
    reported = [(index, step) for step in seen for index in rungs.over(step)]
    assert reported == [(i, min(s for s in seen if s >= target)) for i, target in enumerate(targets)]


def test_a_rung_is_the_step_that_a_person_would_say() -> None:
    assert rung_steps((0.1, 0.2, 0.3, 0.7, 1.0), 30) == (3, 6, 9, 21, 30)
    assert rung_steps((0.1,), 3) == (1,)


def test_a_log_is_cut_in_the_middle_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(path, 1000)
    written = b""
    for round_ in range(5):
        with path.open("ab") as file:
            more = b"".join(b"line %d %d\n" % (round_, i) for i in range(500))
            file.write(more)
        written += more
        log.trim()
    log.trim(slack=1)
    kept = path.read_bytes()
    assert len(kept) <= 1100 and kept.startswith(written[:500]) and kept.endswith(written[-400:])
    assert kept.count(b"bytes left out") == 1
    assert log.ending(1) == "line 4 499"


def test_what_a_run_says_is_shown_without_what_acts_on_a_terminal() -> None:
    assert clean("\x1b[2J\x1b]0;x\x07a\u202eb\tc\rd\x00é") == "]0;xab\tc\ndé"


ENDINGS = [
    (Facts(Ended(0)), None),
    (Facts(Ended(None)), ("lost", "infrastructure")),
    (Facts(Ended(-signal.SIGKILL)), ("lost", "infrastructure")),
    (Facts(Ended(-signal.SIGTERM)), ("lost", "infrastructure")),
    (Facts(Ended(-signal.SIGKILL), oom_kills=1), ("failed", "out_of_memory")),
    (Facts(Ended(-signal.SIGKILL, killed=True), stopped=Why("failed", "timeout", "")), ("failed", "timeout")),
    (Facts(Ended(1), "x\nOSError: [Errno 28] No space left on device"), ("lost", "infrastructure")),
    (Facts(Ended(1), "torch.OutOfMemoryError: CUDA out of memory. Tried"), ("failed", "out_of_memory")),
    (Facts(Ended(1), "DefaultCPUAllocator: can't allocate memory: you"), ("failed", "out_of_memory")),
    (Facts(Ended(-signal.SIGABRT), "terminate: std::bad_alloc"), ("failed", "out_of_memory")),
    (Facts(Ended(1), "talk\ndiverged: the loss is nan"), ("failed", "diverged")),
    (Facts(Ended(1), "diverged is a word\nValueError: x"), ("failed", "crash")),
    (Facts(Ended(0), nonfinite=3), ("failed", "diverged")),
    (Facts(Ended(1), disk_full=True), ("lost", "infrastructure")),
    (Facts(Ended(0), disk_full=True), None),
    (Facts(Ended(-40), ""), ("failed", "crash")),
]


@pytest.mark.parametrize(("facts", "expected"), ENDINGS)
def test_every_ending_has_its_name(facts: Facts, expected: tuple[str, str] | None) -> None:
    found = why(facts)
    assert (found and (found.status, found.failure)) == expected


def test_the_kernels_count_is_read_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 12\noom_kill 7\n")
    assert oom_kills(tmp_path / "vmstat") == 7
    assert oom_kills(tmp_path / "none") == 0
