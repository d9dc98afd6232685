"""The sandbox's own parts: levels are tried, chosen or refused with a line to type; nothing opens by mistake."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from compute_bench import GOOD, Bench, alive, until

from company.compute.backend import Slot
from company.compute.local import LocalCompute
from company.compute.sandbox import probe as probing
from company.compute.sandbox.bubblewrap import command
from company.compute.sandbox.levels import LEVELS, Level, may_run_agent_code
from company.compute.sandbox.policy import Policy, outermost, python_paths
from company.compute.sandbox.probe import Probed, SandboxError, choose, probe, try_levels
from company.compute.sandbox.seccomp import ALLOW, FAIL, KILL, Filter, Instruction, program
from company.compute.tree import children

HAD = [level for level in LEVELS if probe().has(level)]
CLONE, SOCKET, KILL_CALL, PTRACE, UNSHARE, READ, CLONE3 = 56, 41, 62, 101, 272, 0, 435
X86 = 0xC000003E


@pytest.fixture
def bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for bubblewrap, first on the path; the test writes it."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "bwrap").touch(0o755)
    return tmp_path / "bwrap"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "No permissions to create new namespace"),
        ("exit 0", "without a word"),
        ("exec sleep 60", "timed out|not ready"),
    ],
)
def test_bubblewrap_is_tried_not_looked_for(bwrap: Path, script: str, reason: str) -> None:
    bwrap.write_text(f"#!/bin/sh\n{script}\n")
    found = try_levels()
    assert re.search(reason, found.reasons["standard"]) and found.reasons["strict"] == found.reasons["standard"]
    assert found.best() in ("degraded", "none")


@pytest.mark.parametrize("wanted", ["strict", "standard", "degraded"])
def test_a_level_that_cannot_be_had_is_refused_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, wanted: probing.Wanted
) -> None:
    missing = Probed(
        {"strict": "bwrap is not installed", "standard": "Permission denied", "degraded": "no", "none": ""}
    )
    monkeypatch.setattr(probing, "probe", lambda: missing)
    with pytest.raises(SandboxError) as refused:
        choose(wanted)
    line = str(refused.value)
    assert line.startswith(f"--sandbox {wanted}: ") and "\n" not in line
    assert any(words in line for words in ("apt install bubblewrap", "sysctl", "Linux 5.13"))
    assert choose("auto") == choose("none") == "none"


def test_auto_takes_the_best_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: dict[Level, str] = {"strict": "no", "standard": "", "degraded": "", "none": ""}
    monkeypatch.setattr(probing, "probe", lambda: Probed(reasons))
    assert choose("auto") == "standard"


def test_code_of_a_model_needs_a_sandbox_or_a_persons_word() -> None:
    allowed = [level for level in LEVELS if may_run_agent_code(level) is None]
    assert allowed == ["strict", "standard", "degraded"]
    assert "--allow-unsandboxed" in (may_run_agent_code("none") or "")
    assert may_run_agent_code("none", allow_unsandboxed=True) is None


@pytest.mark.parametrize("level", LEVELS)
async def test_a_run_at_each_level_is_scored_and_says_its_level(tmp_path: Path, level: Level) -> None:
    if level not in HAD:
        pytest.skip(probe().reasons[level])
    compute = LocalCompute((Slot(0),), preload=(), sandbox=level)
    await compute.start()
    try:
        bench = Bench(compute, tmp_path)
        outcome = await bench.run(GOOD)
        crash = await bench.run("os.kill(os.getpid(), signal.SIGSEGV)")
        stuck = bench.start("(out / 'pid').touch()\nwhile True: time.sleep(60)\n")
        await until((bench.out / "pid").exists)
        stuck.cancel()
        await until(stuck.done)
    finally:
        await compute.close()
    assert (outcome.status, outcome.metric, outcome.measured["sandbox"]) == ("ok", 1.25, level)
    assert "SIGSEGV" in crash.detail


async def test_killing_the_warm_parent_ends_what_is_in_a_namespace_too(tmp_path: Path) -> None:
    if "standard" not in HAD:
        pytest.skip(probe().reasons["standard"])
    compute = LocalCompute((Slot(0),), preload=(), sandbox="standard")
    await compute.start()
    bench = Bench(compute, tmp_path)
    run = bench.start("os.setsid() if os.getpid() != os.getsid(0) else 0\n(out / 'pid').touch()\ntime.sleep(600)\n")
    await until((bench.out / "pid").exists)
    assert compute.worker_pid
    held = children(compute.worker_pid)
    os.kill(compute.worker_pid, 9)
    assert (await run).status == "lost"
    await until(lambda: not any(alive(pid) for pid in held))
    await compute.close()
    assert len(held) == 2  # the run, and bwrap


async def test_a_sandbox_that_cannot_be_entered_runs_nothing(tmp_path: Path, bwrap: Path) -> None:
    bwrap.write_text("#!/bin/sh\necho 'bwrap: no namespaces today' >&2\nexit 1\n")
    compute = LocalCompute((Slot(0),), preload=(), sandbox="standard")
    await compute.start()
    try:
        bench = Bench(compute, tmp_path)
        outcome = await bench.run("(out / 'ran').touch()\n" + GOOD)
    finally:
        await compute.close()
    assert outcome.status == "lost" and "no namespaces today" in outcome.detail
    assert not (bench.out / "metrics.jsonl").exists()


def test_a_checkout_and_a_home_are_never_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LD_LIBRARY_PATH", f":relative:{tmp_path}/cuda:{tmp_path}")
    for part in ("bin", "lib", ".ssh", "cuda"):
        (tmp_path / part).mkdir()
    shown = python_paths([str(tmp_path / "checkout"), "", "/nowhere"], tmp_path / "checkout")
    assert {f"{tmp_path}/{part}" for part in ("bin", "lib", "cuda")} <= set(shown)
    assert not any(Path(path) == tmp_path or path.endswith((".ssh", "checkout")) for path in shown)


def test_packages_of_a_user_are_shown_where_loopworks_is_one_of_them(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    assert str(packages) in python_paths([str(packages)], packages)


def test_only_the_outermost_of_nested_folders_are_mounted(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert outermost([str(inner), str(tmp_path / "a"), "/usr/lib", str(tmp_path / "none")]) == (str(tmp_path / "a"),)


@pytest.mark.skipif("standard" not in HAD, reason="no bubblewrap here")
def test_an_environment_that_lies_in_tmp_is_seen(tmp_path: Path) -> None:
    """A checkout in /tmp has its packages there, and is no less of a home."""
    package = tmp_path / "site-packages" / "module.py"
    package.parent.mkdir()
    package.write_text("it is here")
    info, told = os.pipe()
    words = command(Policy(), (str(package.parent),), told, False)
    done = subprocess.run([*words, str(package)], pass_fds=(told,), capture_output=True, text=True, timeout=30)
    os.close(info)
    os.close(told)
    assert done.stdout == "it is here", done.stderr


def test_what_is_hidden_is_covered_where_something_shown_would_show_it(tmp_path: Path) -> None:
    if "standard" not in HAD:
        pytest.skip(probe().reasons["standard"])
    runs = tmp_path / "venv" / "runs"
    runs.mkdir(parents=True)
    words = " ".join(command(Policy(hide=(str(runs), str(tmp_path / "else"))), (str(tmp_path / "venv"),), 9, False))
    assert f"--tmpfs {runs}" in words and "else" not in words
    assert words.index(f"--tmpfs {runs}") > words.index(f"--ro-bind {tmp_path}/venv")


def run_filter(asked: Filter, call: int, first: int = 0, second: int = 0, arch: int = X86) -> int:
    """What the kernel would answer: the program run by a machine of a few lines."""
    code = program(asked, "x86_64", pid=42)
    values = {0: call, 4: arch, 16: first, 24: second}
    at, loaded = 0, 0
    while True:
        instruction: Instruction = code[at]
        what, if_true, if_false, operand = instruction
        at += 1
        if what == 0x20:
            loaded = values[operand]
        elif what == 0x06:
            return operand
        else:
            holds = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}[what]
            at += if_true if holds else if_false


@pytest.mark.parametrize(
    ("asked", "call", "first", "answer"),
    [
        (Filter(), READ, 0, ALLOW),
        (Filter(), PTRACE, 0, FAIL | errno.EPERM),
        (Filter(), UNSHARE, 0, FAIL | errno.EPERM),
        (Filter(), CLONE3, 0, FAIL | errno.ENOSYS),
        (Filter(), CLONE, 0x11, ALLOW),
        (Filter(), CLONE, 0x10000011, FAIL | errno.EPERM),
        (Filter(), SOCKET, 2, ALLOW),
        (Filter("unix"), SOCKET, 1, ALLOW),
        (Filter("unix"), SOCKET, 2, FAIL | errno.EACCES),
        (Filter("none"), SOCKET, 1, FAIL | errno.EACCES),
        (Filter(), KILL_CALL, 7, ALLOW),
        (Filter(signals="self"), KILL_CALL, 42, ALLOW),
        (Filter(signals="self"), KILL_CALL, 0, ALLOW),
        (Filter(signals="self"), KILL_CALL, 7, FAIL | errno.EPERM),
        (Filter(signals="self"), KILL_CALL, 0xFFFFFFFF, FAIL | errno.EPERM),
        (Filter(), READ | 0x40000000, 0, KILL),
    ],
)
def test_the_filter_answers_as_it_is_asked_to(asked: Filter, call: int, first: int, answer: int) -> None:
    assert run_filter(asked, call, first) == answer


def test_typing_into_a_terminal_is_refused_and_other_controls_are_not() -> None:
    assert run_filter(Filter(), 16, 0, 0x5412) == FAIL | errno.EPERM
    assert run_filter(Filter(), 16, 0, 0x5401) == ALLOW


def test_a_call_of_another_architecture_ends_the_process() -> None:
    assert run_filter(Filter(), READ, arch=0x40000003) == KILL
