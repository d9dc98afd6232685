"""Talent files: the `talent:` of a chart on its own, with records, as YAML that `loopworks run --talent` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from company.chart import OrgChart, Talent
from company.chart_check import check
from company.chart_nodes import read
from company.chart_problems import ChartError, Finding, Problem, printable, quoted
from company.chart_yaml import dump_plain, read_text

HEADER = "# Candidates with records of earlier runs, for: loopworks run --talent FILE\n"


def load_talent(path: Path) -> tuple[Talent, ...]:
    """The candidates of a talent file. Raises ChartError with every problem in it."""
    return parse_talent(read_text(path), printable(str(path)))


def parse_talent(text: str, source: str = "talent") -> tuple[Talent, ...]:
    """The candidates that YAML text describes, checked as those of a chart. Raises ChartError with every problem."""
    document = read(text, source)
    problems = list(document.problems)
    for found in _check(document.data):
        problems.append(Problem(source, *document.place(found.path, found.at_key), found.message))
    if problems:
        raise ChartError(sorted(set(problems)))
    return OrgChart.model_validate(_around(document.data["talent"])).talent


def with_talent(chart: OrgChart, path: Path) -> OrgChart:
    """The chart with the candidates of a talent file added to its pool. Raises ChartError."""
    pool = [talent.model_dump(mode="json", exclude_none=True) for talent in (*chart.talent, *load_talent(path))]
    return OrgChart.from_dict({**chart.to_dict(), "talent": pool}, printable(str(path)))


def dump_talent(talent: Sequence[Talent]) -> str:
    """YAML text that parse_talent reads back as the same candidates, a record a line."""
    return HEADER + dump_plain({"talent": [_entry(each) for each in talent]})


def _check(data: Any) -> Iterator[Finding]:
    if not isinstance(data, Mapping) or "talent" not in data:
        yield Finding((), "a talent file is a mapping with the key talent, a list of candidates")
        return
    for key in data:
        if key != "talent":
            yield Finding((key,), f"{quoted(key)} has no place in a talent file, which holds talent only", True)
    yield from (found for found in check(_around(data["talent"])) if found.path[:1] == ("talent",))


def _around(talent: Any) -> dict[str, Any]:
    """The smallest chart that these candidates could work for, so that the chart's own checks apply."""
    return {"company": "any", "positions": [{"id": "any", "role": "researcher"}], "talent": talent}


def _entry(talent: Talent) -> dict[str, Any]:
    from ruamel.yaml.comments import CommentedMap

    entry = talent.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    lines = [CommentedMap(record) for record in entry.pop("record", ())]
    for line in lines:
        line.fa.set_flow_style()
    return {**entry, "record": lines} if lines else entry
