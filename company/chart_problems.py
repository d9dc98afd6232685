"""What can be wrong with a chart, and how it is said: one line a problem, with its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from roles.brains.llm.redact import Redactor

Path = tuple[str | int, ...]

NO_SECRETS = Redactor()

MAX_PROBLEMS = 100
_SHOWN = 60  # characters of a person's own text that an error repeats
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem by where it lies in the data; `at_key` points at the key rather than at its value."""

    path: Path
    message: str
    at_key: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A problem by where it lies in the file. Lines and columns count from 1; line 0 means the file as a whole."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{printable(self.path)}{place}: {self.message}"


class ChartError(Exception):
    """A chart that cannot be used, with everything that is wrong with it. str() is one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = _bounded(tuple(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def _bounded(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    if len(problems) <= MAX_PROBLEMS:
        return problems
    rest = len(problems) - MAX_PROBLEMS
    return (*problems[:MAX_PROBLEMS], Problem(problems[0].path, 0, 0, f"and {rest} more problems"))


def suggest(word: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, or nothing."""
    close = get_close_matches(str(word)[:_SHOWN].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def quoted(value: object) -> str:
    """A value as an error repeats it: short, safe to print whatever it holds, and without keys."""
    text = NO_SECRETS.text(printable(value if isinstance(value, str) else str(value)))
    short = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f"'{short}'" if isinstance(value, str) else short


def a(word: str) -> str:
    """`an engineer`, `a manager`."""
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"


def unprintable(char: str) -> bool:
    """Whether a character could move a cursor, reorder a line or fail to encode."""
    return char in _BIDI or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def printable(text: str) -> str:
    """The text with every unprintable character written as an escape."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(f"\\u{ord(char):04x}" if unprintable(char) else char for char in text)
