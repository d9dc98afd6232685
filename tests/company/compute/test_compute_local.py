"""An order is carried out, or its outcome says truthfully what happened: real processes, every way to end."""

from __future__ import annotations

import itertools
import json
import os
import signal

import pytest
from compute_bench import EVALUATE, GOOD, Bench, alive, read_pid, until

from company.compute.backend import ComputeError

RUNGS = (0.1, 0.5, 1.0)
HANG = "(out / 'pid').write_text(str(os.getpid()))\nwhile True: time.sleep(60)\n"


async def test_a_good_run_is_scored_and_leaves_a_tidy_folder(bench: Bench) -> None:
    outcome = await bench.run(rungs=RUNGS)
    assert (outcome.status, outcome.metric, outcome.failure) == ("ok", 1.25, None)
    assert bench.rungs == [(0, 2, 0.5), (1, 10, 0.1), (2, 20, 0.05)]
    assert outcome.curve[0] == (1, 1.0) and outcome.curve[-1] == (20, 0.05)
    left = {path.name for path in bench.out.iterdir()}
    assert left == {"config.json", "train.py", "log.txt", "metrics.jsonl", "model.json", "result.json"}
    assert json.loads((bench.out / "result.json").read_text())["metric"] == 1.25
    assert {"seconds", "launch_s", "train_s", "evaluate_s", "memory_mb"} <= set(outcome.measured)


async def test_weights_are_kept_when_asked_for(bench: Bench) -> None:
    await bench.run(keep_weights=True)
    assert (bench.out / "model.safetensors").read_bytes() == b"weights"


async def test_rungs_and_curve_do_not_depend_on_timing(bench: Bench) -> None:
    slow = "for step in range(1, args.steps + 1):\n    metric(step, 1.0 / step); time.sleep(0.004)\nweights()\n"
    first = await bench.run(rungs=RUNGS)
    fast, bench.rungs = bench.rungs, []
    second = await bench.run(slow, rungs=RUNGS)
    assert bench.rungs == fast
    assert first.curve == second.curve


@pytest.mark.parametrize(
    ("train", "failure", "detail"),
    [
        ("raise ValueError('no such thing')", "crash", "ValueError: no such thing"),
        ("sys.exit(3)", "crash", "exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crash", "SIGSEGV"),
        ("metric(1, 2.0); metric(2, float('nan')); weights()", "diverged", "step 2"),
        ("metric(1, 2.0); metric(2, None); weights()", "diverged", "step 2"),
        ("metric(1, float('nan')); time.sleep(60)", "diverged", "step 1"),
        ("sys.exit('diverged: the loss is inf at step 4')", "diverged", "inf at step 4"),
        ("os._exit(0)", "bad_output", "no model.safetensors"),
        ("os.symlink('/etc/passwd', out / 'model.safetensors')", "bad_output", "no model.safetensors"),
        ("os.mkfifo(out / 'metrics.jsonl')", "bad_output", "no model.safetensors"),
        ("data = [bytearray(1 << 20) for _ in range(4096)]", "out_of_memory", "MemoryError"),
        ("(out / 'big').write_bytes(bytes(64 << 20))", "crash", "File too large"),
        ("print('\\x1b[31mred\\x07 \\u202eback', file=sys.stderr); sys.exit(1)", "crash", "red back"),
    ],
)
async def test_failures_are_told_apart(bench: Bench, train: str, failure: str, detail: str) -> None:
    outcome = await bench.run(train)
    assert (outcome.status, outcome.failure) == ("failed", failure), outcome
    assert detail in outcome.detail
    assert outcome.detail.isprintable() or "\n" in outcome.detail
    assert json.loads((bench.out / "result.json").read_text())["failure"] == failure


async def test_a_run_that_hangs_ends_at_its_limit(bench: Bench) -> None:
    outcome = await bench.run(HANG, seconds=0.3)
    assert outcome.failure == "timeout"
    assert outcome.measured["seconds"] < 3


async def test_a_million_lines_leave_a_bounded_log_with_head_and_tail(bench: Bench) -> None:
    train = "print('first')\nsys.stdout.write('noise ' * 10 + '\\n')\n"
    train += "for _ in range(1000): os.write(1, b'x' * 79 + b'\\n' + b'y\\n' * 999)\nprint('last')\nsys.exit(1)\n"
    outcome = await bench.run(train, log_kb=8)
    log = (bench.out / "log.txt").read_text()
    assert len(log) < 8 * 1024 + 100
    assert log.startswith("first") and log.endswith("last\n") and "bytes left out" in log
    assert outcome.detail.endswith("last")


async def test_garbage_metrics_are_skipped_and_counted(bench: Bench) -> None:
    garbage = "open(out / 'metrics.jsonl', 'wb').write(b'\\xff\\x00\\n[[[[\\n{}\\n' + b'[' * 100000 + b'\\n')\n"
    outcome = await bench.run(garbage + "metric(5, 2.0)\nmetric(4, 9.0)\nmetric(99, 9.0)\nweights()\n")
    assert outcome.status == "ok" and outcome.curve == ((5, 2.0),)
    assert json.loads((bench.out / "result.json").read_text())["skipped_lines"] == 6


async def test_filling_the_folder_with_many_files_is_stopped(bench: Bench) -> None:
    train = "for i in range(10000):\n    (out / str(i)).write_bytes(bytes(1 << 20)); time.sleep(0.005)\n"
    outcome = await bench.run(train, disk_mb=8)
    assert outcome.failure == "crash" and "more than 8 MB" in outcome.detail
    assert not (bench.out / "0").exists()


async def test_a_kill_from_outside_is_nobodys_fault(bench: Bench) -> None:
    run = bench.start(HANG)
    os.kill(await until(lambda: read_pid(bench.out / "pid")), signal.SIGKILL)
    outcome = await run
    assert (outcome.status, outcome.failure) == ("lost", "infrastructure")
    assert "SIGKILL" in outcome.detail


async def test_a_dead_parent_loses_every_run_and_the_next_order_starts_another(bench: Bench) -> None:
    runs = [bench.start(HANG, name=name) for name in ("e1", "e2")]
    pids = [await until(lambda n=name: read_pid(bench.folder / "experiments" / n / "pid")) for name in ("e1", "e2")]
    first = bench.compute.worker_pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert [(await run).status for run in runs] == ["lost", "lost"]
    await until(lambda: not any(alive(pid) for pid in pids))
    assert (await bench.run(GOOD)).status == "ok"
    assert bench.compute.worker_pid not in (None, first)


async def test_an_evaluator_speaks_for_itself(bench: Bench) -> None:
    says = "import json; print(json.dumps({'failure': 'bad_output', 'detail': 'wrong shape'}))"
    assert (await bench.run(evaluate=says)).failure == "bad_output"
    assert (await bench.run(evaluate=says.replace("bad_output", "infrastructure"))).status == "lost"
    assert (await bench.run(evaluate="raise SystemExit('no')")).failure == "evaluation"
    assert (await bench.run(evaluate="print('metric: 3')")).failure == "evaluation"
    assert (await bench.run(evaluate='print(\'{"metric": NaN, "n": 1}\')')).failure == "diverged"
    assert (await bench.run(evaluate="import time; time.sleep(60)", seconds=0.5)).failure == "timeout"


async def test_what_the_kernel_ends_for_memory_while_it_is_scored_is_out_of_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = itertools.count()
    monkeypatch.setattr("company.compute.watch.oom_kills", lambda: next(counted))
    says = "import json; print(json.dumps({'failure': 'infrastructure', 'detail': 'ended from outside by SIGKILL'}))"
    outcome = await bench.run(evaluate=says)
    assert (outcome.status, outcome.failure) == ("failed", "out_of_memory")


async def test_the_folders_own_evaluator_and_answer_are_ignored(bench: Bench) -> None:
    cheat = (
        "(out / 'evaluate.py').write_text('print(0)')\n(out / 'answer.txt').write_text('{\"metric\": 0, \"n\": 1}')\n"
    )
    assert (await bench.run(cheat + GOOD)).metric == 1.25
    linked = "os.symlink('/etc/hostname', out / 'answer.txt'); os.symlink('/nowhere', out / '.result.json.partial')\n"
    assert (await bench.run(linked + GOOD)).metric == 1.25


async def test_the_environment_holds_no_secret(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    train = "print(json.dumps(dict(os.environ)), sys.stdin.read() == '', sorted(os.listdir('/proc/self/fd')))\n" + GOOD
    await bench.run(train)
    log = (bench.out / "log.txt").read_text()
    assert "secret" not in log and "OPENAI" not in log
    assert '"CUDA_VISIBLE_DEVICES": ""' in log and '"OMP_NUM_THREADS": "1"' in log
    assert "True ['0', '1', '2', '3']" in log  # 3 is the listing itself


async def test_an_attempt_sees_nothing_of_the_one_before(bench: Bench) -> None:
    await bench.run("metric(7, 7.0); (out / 'left').write_text('x'); sys.exit(1)")
    outcome = await bench.run("print((out / 'left').exists())\n" + GOOD)
    assert outcome.curve[0] == (1, 1.0)
    assert "False" in (bench.out / "log.txt").read_text()


async def test_a_failure_reads_the_same_in_every_run_directory(bench: Bench) -> None:
    outcome = await bench.run("def annotated(x: no_such_name): pass\n")
    assert "NameError" in outcome.detail and 'File "train.py", line' in outcome.detail
    assert str(bench.folder) not in outcome.detail


async def test_a_folder_that_cannot_be_written_is_infrastructure(bench: Bench) -> None:
    (bench.folder / "experiments").write_text("in the way")
    outcome = await bench.run()
    assert (outcome.status, outcome.failure) == ("lost", "infrastructure")


async def test_data_are_prepared_once_and_only_whole(bench: Bench) -> None:
    project, data = bench.project(), bench.folder / "prepared"
    await bench.compute.prepare_data(project, data)
    await bench.compute.prepare_data(project, data)
    assert (data / "calls").read_text() == "x"
    broken = bench.project(evaluate=EVALUATE.replace("with open", "raise OSError('no source')\n    with open"))
    with pytest.raises(ComputeError, match="no source"):
        await bench.compute.prepare_data(broken, bench.folder / "other")
    assert sorted(path.name for path in bench.folder.iterdir()) == ["prepared", "project"]
