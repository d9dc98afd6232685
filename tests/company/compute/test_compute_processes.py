"""No process outlives its order: cancelling, daemons, and the engine's own sudden death."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compute_bench import GOOD, Bench, alive, read_pid, until

from company.compute.backend import ComputeError, Slot
from company.compute.environment import clean_env
from company.compute.local import LocalCompute

FAMILY = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(out / "child").write_text(str(child.pid))
(out / "pid").write_text(str(os.getpid()))
"""
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        (out / "number").write_text(str(os.getpid()))
        (out / "number").rename(out / "daemon")
        time.sleep(600)
    os._exit(0)
wait_for(out / "daemon")
(out.parent / "daemon").write_text((out / "daemon").read_text())
"""


async def started(bench: Bench) -> list[int]:
    return [await until(lambda n=name: read_pid(bench.out / n)) for name in ("child", "pid")]


async def test_cancelling_ends_the_whole_group_at_once(bench: Bench) -> None:
    run = bench.start(FAMILY + "time.sleep(600)\n")
    pids = await started(bench)
    began = time.monotonic()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert time.monotonic() - began < 0.5  # a tenth of it on a quiet machine
    assert not any(alive(pid) for pid in pids)
    assert (await bench.run(GOOD)).status == "ok"


async def test_cancelling_twice_still_waits_for_the_death(bench: Bench) -> None:
    run = bench.start(FAMILY + "time.sleep(600)\n")
    pids = await started(bench)
    run.cancel()
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not any(alive(pid) for pid in pids)


async def test_what_a_run_leaves_in_its_group_dies_with_it(bench: Bench) -> None:
    outcome = await bench.run(FAMILY + "(out.parent / 'child').write_text(str(child.pid))\n" + GOOD)
    assert outcome.status == "ok"
    assert not alive(read_pid(bench.out.parent / "child"))


async def test_a_daemon_that_left_its_group_is_ended_too(bench: Bench) -> None:
    assert (await bench.run(DAEMON + GOOD)).status == "ok"
    daemon = read_pid(bench.out.parent / "daemon")
    assert daemon
    await until(lambda: not alive(daemon))


async def test_closing_ends_everything(bench: Bench) -> None:
    run = bench.start(FAMILY + "time.sleep(600)\n")
    pids = await started(bench)
    await bench.compute.close()
    assert (await run).status == "lost"
    assert (await bench.run(GOOD)).status == "lost"
    assert not any(alive(pid) for pid in pids)


ENGINE = """
import asyncio, os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
sys.path.insert(0, {here!r})
from compute_bench import Bench
from company.compute.backend import Slot
from company.compute.local import LocalCompute
async def main():
    lock = int(sys.argv[2])
    compute = LocalCompute((Slot(0),), hold_fds=(lock,), preload=())
    await compute.start()
    (Path(sys.argv[1]) / "worker").write_text(str(compute.worker_pid))
    await Bench(compute, Path(sys.argv[1])).run({train!r}, seconds=600.0)
asyncio.run(main())
"""


async def test_an_engine_that_is_killed_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    script = ENGINE.format(root=root, here=str(Path(__file__).parent), train=FAMILY + "time.sleep(600)\n")
    engine = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(lock)], pass_fds=(lock,))
    os.close(lock)
    out = tmp_path / "experiments" / "e1"
    names = (tmp_path / "worker", out / "child", out / "pid")
    pids = [await until(lambda p=path: read_pid(p), 20) for path in names]
    assert all(alive(pid) for pid in pids)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    await until(lambda: not any(alive(pid) for pid in pids), 3)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if anything still held it
    os.close(other)


async def test_the_warm_parent_stays_at_one_thread_and_away_from_the_gpu(tmp_path: Path) -> None:
    compute = LocalCompute((Slot(0),))
    await compute.start()
    try:
        assert compute.ready == {**compute.ready, "threads": 1, "touched_cuda": False}
        train = "import torch\nm = torch.nn.Linear(2, 2); o = torch.optim.AdamW(m.parameters())\n"
        train += "m(torch.ones(1, 2)).sum().backward(); o.step(); metric(1, 1.0); weights()\n"
        bench = Bench(compute, tmp_path)
        outcomes = [await bench.run(train) for _ in range(3)]
    finally:
        await compute.close()
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3
    assert min(outcome.measured["launch_s"] for outcome in outcomes) < 0.3


async def test_a_parent_that_cannot_start_says_what_to_do() -> None:
    compute = LocalCompute((Slot(0),), preload=("no_such_module",))
    with pytest.raises(ComputeError, match=r"No module named 'no_such_module'.*loopworks doctor"):
        await compute.start()


def test_the_engines_side_imports_neither_torch_nor_numpys_friends() -> None:
    look = "import sys, company.compute.local; print({'torch', 'scipy', 'sklearn', 'sqlmodel'} & set(sys.modules))"
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=root, env=clean_env(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
