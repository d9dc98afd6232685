"""docs/org_chart.md tells the truth: its tables are generated and its examples are charts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from company.chart_problems import ChartError
from company.chart_reference import refresh
from company.chart_yaml import parse_chart, shipped_charts

PAGE = Path(__file__).parents[2] / "docs" / "org_chart.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_tables_are_fresh() -> None:
    """If this fails: python -m company.chart_reference docs/org_chart.md"""
    assert refresh(TEXT) == TEXT


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_chart(example: str) -> None:
    assert parse_chart(example).positions


def test_every_shipped_chart_is_in_the_table() -> None:
    assert all(f"| `{name}` |" in TEXT for name in shipped_charts())


def test_the_mistakes_shown_are_what_is_said() -> None:
    text = (
        "company: x\n\n\npositions:\n  - {id: ada, role: manager}\n"
        "  - {id: bob,  role: reseacher, reports_to: adda}\n  - {id: cleo, role: researcher, reports_to: ada}\n"
    )
    with pytest.raises(ChartError) as caught:
        parse_chart(text, "mine.yaml")
    shown = re.findall(r"^mine\.yaml:.*$", TEXT, re.MULTILINE)
    assert str(caught.value).splitlines() == shown
