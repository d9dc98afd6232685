"""What a forked child does between the fork and the script: confine itself, then become `python SCRIPT ARGS`.

Covered: own session and process group; dies with the zygote; memory, file size and core limits; an environment that
holds only what the request lists; no descriptor of the parent; the kernel ends it before anything else when memory
runs out. Not covered: the network, other files of the same user, memory over several processes (a sandbox's work).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import resource
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from company.compute.environment import CUDA_HOST_MB, NO_SANDBOX, SANDBOX_FAILED
from company.compute.sandbox.confine import Cell
from company.compute.sandbox.kernel import die_with_parent
from company.compute.sandbox.policy import Confined, restored

MEGABYTE = 1 << 20
OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def open_outputs(request: dict[str, Any]) -> tuple[int, int]:
    """Descriptors for standard output and error; raises OSError while a refusal can still be reported."""
    log = os.open(request["log"], OUTPUT, 0o644)
    if request["answer"] is None:
        return log, log
    try:
        return os.open(request["answer"], OUTPUT | os.O_TRUNC, 0o644), log
    except OSError:
        os.close(log)
        raise


def become(request: dict[str, Any], outputs: tuple[int, int], parent: int, cell: Cell) -> NoReturn:
    """Run the request's script as `__main__` in this process and exit with its code. Never returns."""
    code = 70
    try:
        if cell.holder is None:  # whose end would end this process, too
            die_with_parent(parent)
        confine(request, outputs, cell)
        if enter_sandbox(request, cell):
            if request["device"] == "cuda" and not request["predictions"]:
                share_gpu(request["share"])
            code = run_script([request["script"], *request["args"]], request["path"])
        else:
            code = NO_SANDBOX
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def confine(request: dict[str, Any], outputs: tuple[int, int], cell: Cell) -> None:
    """Leave everything of the zygote behind. CUDA_VISIBLE_DEVICES comes with the environment, before any CUDA call."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    redirect(outputs, cell.needed)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    volunteer_for_oom()
    limit(request)


def enter_sandbox(request: dict[str, Any], cell: Cell) -> bool:
    """Enter the request's sandbox, and lay down that of the predictions it will ask for; False where it cannot be had.

    Nothing of the script has run then, and nothing of it may.
    """
    if request["predictions"]:
        from projects import predictor  # it needs numpy, which a warm parent need not have

        share = partial(share_gpu, request["share"]) if request["device"] == "cuda" else None
        predictor.confine_with(partial(cell_for_predictions, restored(request["predictions"]), share))
    try:
        cell.enter(request["cwd"])
    except OSError as error:
        print(f"{SANDBOX_FAILED} {error.strerror or error}", file=sys.stderr)
        return False
    return True


def cell_for_predictions(wanted: Confined, once_inside: Callable[[], None] | None, code: Path, artefact: Path) -> Cell:
    """The sandbox of a process that makes predictions: it sees the code and what training left, to read."""
    shown = (str(code.resolve()), str(artefact.resolve()))
    return Cell(replace(wanted, policy=replace(wanted.policy, read=(*wanted.policy.read, *shown))), once_inside)


def redirect(outputs: tuple[int, int], kept: tuple[int, ...]) -> None:
    """Nothing to read, the outputs to write, and every inherited descriptor closed but those that are kept."""
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (outputs[0], 1), (outputs[1], 2)):
        os.dup2(descriptor, target)
    inherited = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    for descriptor in inherited:
        if descriptor > 2 and descriptor not in kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(descriptor)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def limit(request: dict[str, Any]) -> None:
    """Limits of this process. Memory is RLIMIT_DATA above what the warm start already holds (RLIMIT_AS breaks CUDA)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if request["file_mb"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_mb"] * MEGABYTE,) * 2)
    if request["memory_mb"]:
        extra = CUDA_HOST_MB if request["device"] == "cuda" else 0
        allowed = data_bytes() + (request["memory_mb"] + extra) * MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def share_gpu(share: float) -> None:
    """Nobody enforces memory between the slots of one GPU, so each process bounds its own.

    It opens the GPU and starts threads: only inside, since a process of several threads enters no namespace, and not in
    an evaluator, since CUDA works in no process forked after that.
    """
    if share < 1.0:
        import torch

        torch.cuda.set_per_process_memory_fraction(share)


def data_bytes() -> int:
    """Private writable memory of this process: what RLIMIT_DATA counts."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def volunteer_for_oom() -> None:
    """When memory runs out, the kernel shall end an experiment rather than the company."""
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        return


def run_script(argv: list[str], path: str) -> int:
    """What `python SCRIPT ARGS` does, from the main module to the exit code."""
    sys.argv = argv
    sys.path.insert(0, path)
    sys.dont_write_bytecode = True
    gc.enable()
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=argv[0], __builtins__=__builtins__)
    sys.modules["__main__"] = main
    code = 0
    try:
        exec(compile(Path(argv[0]).read_bytes(), argv[0], "exec", dont_inherit=True), main.__dict__)
    except SystemExit as leaving:
        code = exit_code(leaving)
    except BaseException as error:
        report(error)
        code = 1
    finish()
    return code


def exit_code(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return (leaving.code or 0) & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def report(error: BaseException) -> None:
    """The script's traceback, without our own frame."""
    after_ours = error.__traceback__.tb_next if error.__traceback__ else None
    traceback.print_exception(type(error), error, after_ours)


def finish() -> None:
    """An interpreter's own ending: wait for threads, run exit handlers, flush."""
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
