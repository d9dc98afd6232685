"""Charts as YAML files: load with line and column of every problem, save with comments and order kept."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from company.chart import OrgChart
from company.chart_check import check
from company.chart_nodes import RUAMEL_SLIPS, decode, read
from company.chart_problems import ChartError, Problem, printable, suggest

CHARTS = Path(__file__).resolve().parent.parent / "org_charts"
MODELINE = "# yaml-language-server: $schema=./schema.json\n"


def shipped_charts() -> tuple[str, ...]:
    """Bare names that load_chart knows."""
    return tuple(sorted(path.stem for path in CHARTS.glob("*.yaml")))


def load_chart(name_or_path: str | Path) -> OrgChart:
    """The chart of a file, or a shipped one by its bare name. Raises ChartError with every problem in it."""
    path = find_chart(name_or_path)
    return parse_chart(read_text(path), printable(str(name_or_path)))


def find_chart(name_or_path: str | Path) -> Path:
    """The file that a name or a path means. Raises ChartError, with the nearest name, when there is none."""
    shipped = CHARTS / f"{name_or_path}.yaml"
    if str(name_or_path) in shipped_charts():
        return shipped
    path = Path(name_or_path)
    source = printable(str(name_or_path))
    try:
        if path.is_file():
            return path
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    if exists:
        raise ChartError([Problem(source, 0, 0, "is not a file")])
    known = shipped_charts()
    hint = suggest(path.stem, known)
    raise ChartError([Problem(source, 0, 0, f"no such chart{hint or '.'} Shipped: {', '.join(known)}; or give a path")])


def read_text(path: Path) -> str:
    """Text of a chart file. Raises ChartError if it cannot be read."""
    source = printable(str(path))
    try:
        if not path.is_file():
            raise ChartError([Problem(source, 0, 0, "is not a file")])
        return decode(path.read_bytes(), source)
    except OSError as error:
        raise ChartError([Problem(source, 0, 0, f"cannot be read: {error.strerror or error}")]) from None


def parse_chart(text: str, source: str = "chart") -> OrgChart:
    """The chart that YAML text describes. Raises ChartError with every problem, in the order of the text."""
    document = read(text, source)
    problems = list(document.problems)
    for found in check(document.data):
        problems.append(Problem(source, *document.place(found.path, found.at_key), found.message))
    if problems:
        raise ChartError(sorted(set(problems)))
    return OrgChart.model_validate(document.data)


def dump_chart(chart: OrgChart, onto: str | None = None) -> str:
    """YAML text of a chart. Text given as `onto` keeps its comments, its order and everything that did not change."""
    merged = _merge_text(chart, onto) if onto is not None else None
    return merged if merged is not None else MODELINE + dump_plain(chart.to_dict(compact=True))


def save_chart(chart: OrgChart, path: str | Path, onto: str | None = None) -> None:
    """Write a chart, whole or not at all. Raises OSError."""
    target = Path(path)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        scratch.write_text(dump_chart(chart, onto), encoding="utf-8")
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 120
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def dump_plain(data: Any) -> str:
    """YAML text of plain data, or of a tree that ruamel loaded, laid out as charts are."""
    out = io.StringIO()
    _yaml().dump(data, out)
    return out.getvalue()


def _merge_text(chart: OrgChart, onto: str) -> str | None:
    """The old text with the chart's changes, or None where it cannot carry them (it was broken, or shared anchors)."""
    from ruamel.yaml.error import YAMLError

    from company.chart_merge import keep_lines, merge

    try:
        before = parse_chart(onto, "onto")
        if before == chart:
            return onto
        tree = _yaml().load(onto)
        merge(tree, before.to_dict(compact=True), chart.to_dict(compact=True))
        text = dump_plain(tree)
    except (ChartError, YAMLError, *RUAMEL_SLIPS):
        return None
    return next((each for each in (keep_lines(onto, text), text) if _means(each, chart)), None)


def _means(text: str, chart: OrgChart) -> bool:
    try:
        return parse_chart(text, "merged") == chart
    except ChartError:
        return False
