"""YAML text to plain data, with the line and column of every key and value.

Composes nodes rather than loading objects: every duplicate key is seen, and nothing in the text is ever executed.
Covered: size, nesting, aliases that multiply, tags, control characters. Merge keys (`<<`) are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from company.chart_problems import ChartError, Path, Problem, printable, quoted

MAX_BYTES = 256 * 1024  # about 4000 positions; pure-Python YAML reads this in seconds
MAX_VALUES = 50_000  # after aliases are followed
MAX_DEPTH = 30

# what ruamel itself stumbles over in odd text: a lone `%YAML` line, a stray `!`, `!!float y`
RUAMEL_SLIPS = (ValueError, TypeError, AttributeError, LookupError, AssertionError, OverflowError)

_TAG = "tag:yaml.org,2002:"
Place = tuple[int, int]


@dataclass(slots=True)
class Document:
    """Plain data, the places in the text that it came from, and what is wrong already."""

    source: str
    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path, at_key: bool = False) -> Place:
        """The place of a value (or of its key); of the nearest thing around it when it is not in the text."""
        if at_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))


def decode(raw: bytes, source: str) -> str:
    """Text of a file. Raises ChartError if it is too big or not UTF-8."""
    if len(raw) > MAX_BYTES:
        raise ChartError([Problem(source, 0, 0, f"is larger than {MAX_BYTES // 1024} KB, too large for a chart")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise ChartError([Problem(source, line, column, "is not UTF-8 text")]) from None


def read(text: str, source: str) -> Document:
    """Data and places. Raises ChartError for text that is not YAML; other problems are in the document."""
    if len(text) > MAX_BYTES:
        raise ChartError([Problem(source, 0, 0, f"is larger than {MAX_BYTES // 1024} KB, too large for a chart")])
    document = Document(source)
    node = _compose(text, source)
    if node is not None:
        reader = _Reader(document)
        document.data = reader.plain(node, (), 0)
    return document


def _compose(text: str, source: str) -> Node | None:
    try:
        return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ChartError([Problem(source, line, column, _explain(error, text, line))]) from None
    except RecursionError:
        raise ChartError([Problem(source, 0, 0, "is nested too deeply")]) from None
    except YAMLError as error:
        position = getattr(error, "position", None)
        raise ChartError([_bad_character(text, source, position)]) from None
    except RUAMEL_SLIPS:
        raise ChartError([Problem(source, 0, 0, "is not valid YAML")]) from None


def _explain(error: MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())] if 0 < line <= len(lines) else ""
    if "'\\t'" in str(error.problem) or "\t" in indent:
        return "a tab indents this line; YAML is indented with spaces"
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    return f"is not valid YAML: {printable(' '.join(what.split()))}"


def _bad_character(text: str, source: str, position: Any) -> Problem:
    if not isinstance(position, int):
        return Problem(source, 0, 0, "is not valid YAML")
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return Problem(source, line, column, "there is a control character here; a chart is plain text")


class _Reader:
    """Walks nodes; stops the whole document once aliases have made it too large."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def plain(self, node: Node, path: Path, depth: int) -> Any:
        self.count += 1
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        if self.count > MAX_VALUES:
            raise ChartError([Problem(self.document.source, *place, "is too large once its aliases are followed")])
        if depth > MAX_DEPTH:
            raise ChartError([Problem(self.document.source, *place, "is nested too deeply, or an alias holds itself")])
        self.document.values[path] = place
        if isinstance(node, MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self.blame(place, "a key must be a word")
                continue
            key = str(key_node.value)
            if key in found:
                self.blame(place, f"the key {quoted(key)} is there twice (first at line {self.first(path, key)})")
            elif key == "<<":
                self.blame(place, "merge keys (<<) are not supported in a chart; write the settings out")
            else:
                self.document.keys[(*path, key)] = place
                found[key] = self.plain(value_node, (*path, key), depth + 1)
        return found

    def first(self, path: Path, key: str) -> int:
        return self.document.keys[(*path, key)][0]

    def scalar(self, node: Node) -> Any:
        tag, text = str(node.tag), str(node.value)
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        try:
            if tag == _TAG + "null":
                return None
            if tag == _TAG + "bool":
                return text.lower() == "true"
            if tag == _TAG + "int":
                return int(text.replace("_", ""), 0)
            if tag == _TAG + "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self.blame(place, f"{quoted(text)} cannot be read as a number")
            return text
        if tag not in (_TAG + "str", _TAG + "timestamp"):
            self.blame(place, f"tags such as {quoted(tag.removeprefix(_TAG))} are not used in a chart")
        return text

    def blame(self, place: Place, message: str) -> None:
        self.document.problems.append(Problem(self.document.source, *place, message))
