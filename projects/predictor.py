"""Predictions from code that nobody trusts: a forked child runs a train.py's `load` and `predict`; only arrays return.

Covered: labels in memory (the child is forked before the evaluator reads any), a forged result line (the child's output
goes to /dev/null), pickles and other objects (the answer is a bounded JSON header and raw numbers), wrong shapes, NaN,
probabilities that do not sum to one, crashes, hangs (SIGKILL at the deadline), memory kept from one child to the next.

Not covered: what a sandbox is for (`confine_with`). Without one the child can open the sealed files on disk, look into
/proc, or leave a process of its own behind; see `company/compute`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, TextIO

import numpy as np

HEADER = struct.Struct("<I")
HEADER_LIMIT = 4096  # bytes of JSON; a header is a dtype, a shape and at most one short message
FLOATS = ("float32", "float64")  # what an answer may consist of
SUM_TOLERANCE = 1e-3  # |log of a row's total probability|; float32 softmax over 256 classes errs by about 1e-6

DYING_S = 1.0  # from the end of its answers to that of the child
OUTSIDE = (signal.SIGKILL, signal.SIGTERM)  # the kernel, a person: nobody here sends them to a child at work

FailureKind = Literal["diverged", "bad_output", "evaluation", "infrastructure"]


class Cell(Protocol):
    """A sandbox for one forked child; every method raises OSError where it cannot be had."""

    @property
    def needed(self) -> tuple[int, ...]:
        """Descriptors that must stay open in the child until it has entered."""
        ...

    def fork(self, become: Callable[[], NoReturn]) -> int: ...

    def enter(self, cwd: str) -> None: ...


MakeCell = Callable[[Path, Path], Cell]  # a sandbox that shows this code and this artefact, and nothing that is sealed
_make_cell: MakeCell | None = None


def confine_with(make_cell: MakeCell) -> None:
    """Have every process that makes predictions from now on live in a sandbox that `make_cell` makes.

    Who starts an evaluator decides this; an evaluator that is run by hand confines nothing.
    """
    global _make_cell
    _make_cell = make_cell


class PredictionError(Exception):
    """The model gave no usable answer; `kind` is what the evaluator records, `detail` one line for a person.

    "infrastructure" says that the model is not to blame: the run is carried out again, a few times.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: FailureKind = kind
        self.detail = detail


def preload(code: Path) -> None:
    """Import torch before the first fork, if `code` names it: two children then pay for one import."""
    if b"torch" in code.read_bytes():
        with contextlib.suppress(ImportError):
            importlib.import_module("torch")


class Predictor:
    """A child process that answers with a model's predictions. Make it BEFORE reading labels, use it as a context.

    `code` is the train.py that defines `load(folder, device)` and `predict(model, inputs)`; `artefact` the folder that
    it left; `timeout` the seconds that loading and all answers together may take.
    """

    def __init__(self, code: Path | str, artefact: Path | str, device: str = "cpu", timeout: float = 60.0) -> None:
        self._deadline = time.monotonic() + timeout
        self._timeout = timeout
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        try:
            cell = _make_cell(Path(code), Path(artefact)) if _make_cell else None
            become = partial(_child, Path(code), Path(artefact), device, request_read, answer_write, cell)
            self._pid = cell.fork(become) if cell else os.fork()
        except OSError as error:
            raise PredictionError("infrastructure", f"no process for load and predict: {error}") from error
        if self._pid == 0:
            become()
        os.close(request_read)
        os.close(answer_write)
        self._requests, self._answers = request_write, answer_read
        for end in (self._requests, self._answers):
            os.set_blocking(end, False)

    def __enter__(self) -> Predictor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def predict(self, inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Natural-log probabilities for `inputs`, float64 of exactly `shape`, the last axis being the classes.

        Every row is checked to sum to one and then normalised exactly. Raises PredictionError.
        """
        inputs = np.ascontiguousarray(inputs)
        header = json.dumps({"dtype": inputs.dtype.name, "shape": inputs.shape}).encode()
        self._send(HEADER.pack(len(header)) + header + inputs.tobytes())
        return normalised(self._answer(shape))

    def close(self) -> None:
        """End the child, whatever it does."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._requests)
            os.close(self._answers)
            self._pid = 0

    def _answer(self, shape: tuple[int, ...]) -> np.ndarray:
        (length,) = HEADER.unpack(self._receive(HEADER.size))
        if length > HEADER_LIMIT:
            raise PredictionError("bad_output", f"predict answered with a header of {length} bytes")
        header = _parse(bytes(self._receive(length)))
        if "unable" in header:
            raise PredictionError("infrastructure", str(header["unable"])[:400])
        if "error" in header:
            raise PredictionError("bad_output", str(header["error"])[:400])
        if header.get("dtype") not in FLOATS:
            raise PredictionError("bad_output", f"predict gave {header.get('dtype')}, not one of {', '.join(FLOATS)}")
        if header.get("shape") != list(shape):
            raise PredictionError("bad_output", f"predict gave shape {header.get('shape')}, not {list(shape)}")
        dtype = np.dtype(header["dtype"])
        return np.frombuffer(self._receive(int(np.prod(shape)) * dtype.itemsize), dtype=dtype).reshape(shape)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._requests, select.POLLOUT)
            try:
                view = view[os.write(self._requests, view) :]
            except BrokenPipeError:
                raise self._ended() from None

    def _receive(self, count: int) -> bytearray:
        buffer = bytearray(count)
        view, filled = memoryview(buffer), 0
        while filled < count:
            self._wait(self._answers, select.POLLIN)
            got = os.readv(self._answers, [view[filled:]])
            if not got:
                raise self._ended()
            filled += got
        return buffer

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = self._deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise PredictionError("bad_output", f"load and predict took more than {self._timeout:g} s")

    def _ended(self) -> PredictionError:
        """Why there is no answer: a child that was ended from outside says nothing of the model."""
        name = "the process that ran load and predict"
        if (signal_number := self._killed_by()) in OUTSIDE:
            by = signal.Signals(signal_number).name
            return PredictionError("infrastructure", f"{name} was ended from outside by {by}")
        return PredictionError("bad_output", f"{name} ended without an answer")

    def _killed_by(self) -> int | None:
        """The signal that ended the child; None where it ended by itself, or has only hung up."""
        life, poll = os.pidfd_open(self._pid), select.poll()
        poll.register(life, select.POLLIN)
        poll.poll(DYING_S * 1000)
        os.close(life)
        ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended.si_status if ended and ended.si_code == os.CLD_KILLED else None


def normalised(log_probabilities: np.ndarray) -> np.ndarray:
    """Check log probabilities of shape (..., classes) and normalise each row exactly (log-softmax), in float64."""
    if not np.isfinite(log_probabilities).all():
        raise PredictionError("diverged", "predictions are not finite (NaN or infinite log probabilities)")
    top = log_probabilities.max(axis=-1, keepdims=True)
    total = np.log(np.exp(log_probabilities - top).sum(axis=-1, keepdims=True, dtype=np.float64)) + top
    worst = float(np.abs(total).max()) if total.size else 0.0
    if worst > SUM_TOLERANCE:
        raise PredictionError("bad_output", f"probabilities do not sum to one (log of the sum is off by {worst:.3g})")
    return log_probabilities - total


def print_result(result: Mapping[str, object], file: TextIO | None = None) -> None:
    """One line of JSON: the evaluator's whole answer on standard output, or in `file`."""
    print(json.dumps(result, allow_nan=False), file=file, flush=True)


def _parse(header: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(header)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise PredictionError("bad_output", "predict answered with something that is not a header")
    return parsed


def _child(code: Path, artefact: Path, device: str, requests: int, answers: int, cell: Cell | None) -> NoReturn:
    """The whole life of the child; it never returns into the evaluator's code."""
    try:
        _close_all_but(requests, answers, *(cell.needed if cell else ()))
        if cell:
            _enter(cell, answers)
        if device == "cpu":  # a child that can write no file keeps no notes for the next one
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        _serve(code, artefact, device, requests, answers)
    except BaseException as error:  # SystemExit and KeyboardInterrupt included: nothing may unwind into the evaluator
        message = f"{type(error).__name__} in load or predict: {error}"
        _write(answers, _header({"error": " ".join(message.split())[:300]}))
    finally:
        os._exit(0)


def _enter(cell: Cell, answers: int) -> None:
    try:
        cell.enter("/")
    except OSError as error:
        _write(answers, _header({"unable": f"no sandbox for load and predict: {error}"[:300]}))
        os._exit(1)


def _serve(code: Path, artefact: Path, device: str, requests: int, answers: int) -> None:
    import runpy

    sys.path[0:0] = [str(code.parent)]
    module = runpy.run_path(str(code), run_name="candidate")
    model = module["load"](artefact, device)
    stream = os.fdopen(requests, "rb")
    while head := stream.read(HEADER.size):
        about = json.loads(stream.read(HEADER.unpack(head)[0]))
        dtype, shape = np.dtype(about["dtype"]), tuple(about["shape"])
        raw = stream.read(int(np.prod(shape)) * dtype.itemsize)
        outputs = np.ascontiguousarray(module["predict"](model, np.frombuffer(raw, dtype=dtype).reshape(shape).copy()))
        _write(answers, _header({"dtype": outputs.dtype.name, "shape": outputs.shape}))
        _write(answers, outputs.tobytes())


def _header(about: Mapping[str, object]) -> bytes:
    text = json.dumps(about).encode()
    return HEADER.pack(len(text)) + text


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _close_all_but(*keep: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    start = 3
    for descriptor in (*sorted(keep), os.sysconf("SC_OPEN_MAX")):
        os.closerange(start, min(descriptor, 65536))
        start = descriptor + 1
