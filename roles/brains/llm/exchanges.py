"""What was said to a model and what it answered: one line of JSON a decision, redacted, in the run directory.

The same file plays a run back: the recorded answer is given to the same question, and nobody is called.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

FILE = "exchanges.jsonl"


class Diverged(Exception):
    """A run that is played back asks what was never asked in the recording; one line that says where."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer: text, or tool calls as (name, arguments as JSON). `cut` says why it is not whole.

    `read` and `written` are tokens; `estimated` that its server did not count them.
    """

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    thought: str = ""
    cut: str = ""
    read: int = 0
    written: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One decision put to a model. Without a `reply`, `problem` says why; `outage` and `budget` are what the company
    has to know of it: that a server is out, or that the money is gone.

    `asked` is the hash of the question; `usd_strong` what the same tokens would have cost at the strong model.
    """

    decision: str
    agent: str
    task: str
    asked: str
    model: str = ""
    reply: Reply | None = None
    problem: str = ""
    outage: str = ""
    budget: str = ""
    escalated: str = ""
    usd: float | None = None
    usd_strong: float | None = None
    seconds: float = 0.0
    tries: int = 0

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.reply.read + self.reply.written if self.reply else 0


def question_hash(system: str, question: str, tools: list[str]) -> str:
    """What makes two questions the same: the instructions, the question and the tools; never what was said before."""
    return hashlib.sha256(json.dumps([system, question, tools]).encode()).hexdigest()


class Journal:
    """Keeps exchanges in a file as they happen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = {exchange.decision: exchange for exchange in read_exchanges(path)} if path.is_file() else {}
        _end_the_line(path)

    def add(self, exchange: Exchange, question: str, at: float) -> None:
        """Write one exchange down; it is on the disk before its decision is recorded."""
        line = json.dumps({"at": round(at, 3), **asdict(exchange), "question": question}, ensure_ascii=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.kept[exchange.decision] = exchange


def read_exchanges(path: Path) -> Iterator[Exchange]:
    """The exchanges of a file, in order; the last line may be torn by a kill. Raises OSError, ValueError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            yield _restore(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if number < len(lines):
                raise ValueError(f"{path}:{number}: is not an exchange ({type(error).__name__})") from error


def _restore(found: Any) -> Exchange:
    known = {field.name for field in fields(Exchange)}
    values: Mapping[str, Any] = {name: value for name, value in found.items() if name in known}
    reply = values.get("reply")
    if reply is not None:
        reply = Reply(**{**reply, "calls": tuple((str(name), str(args)) for name, args in reply["calls"])})
    return Exchange(**{**values, "reply": reply})


def _end_the_line(path: Path) -> None:
    """A kill may have torn the last line: what follows starts on its own."""
    if path.is_file() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])
