"""What README and docs tell people to type can be typed, and what they point to is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from company.chart import BrainSpec
from company.chart_yaml import shipped_charts
from company.cli import loopworks

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console|text)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def lines() -> list[tuple[str, str]]:
    """Every command line of ours in a block of any page, without its remark."""
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.strip().removeprefix("$ ")
                if words.startswith("loopworks ") and "..." not in words and "|" not in words:
                    found.append((page.name, re.split(r"\s#|\s>", words)[0].strip()))
    return found


@pytest.mark.parametrize(("page", "line"), lines())
def test_a_line_that_a_page_says_to_type_is_understood(page: str, line: str) -> None:
    words = [word.strip("[]") for word in shlex.split(line)[1:]]
    command, ctx = loopworks, click.Context(loopworks, info_name="loopworks")
    while isinstance(command, click.Group):
        words = words[sum(isinstance(param, click.Argument) for param in command.params) :]
        if not words or words[0].startswith("-"):
            break
        _, found, words = command.resolve_command(ctx, words)
        assert found is not None, line
        command, ctx = found, click.Context(found, info_name=found.name, parent=ctx)
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    assert {word.split("=")[0] for word in words if word.startswith("--") and word != "--"} <= known, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_names_every_page_and_every_shipped_chart() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in text] == []
    assert [name for name in shipped_charts() if f"`{name}`" not in text] == []


def test_the_brains_that_the_readme_shows_are_brains() -> None:
    from company.chart_nodes import read

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line.split("  #")[0] for line in text.splitlines() if line.startswith("brain: {")]
    assert len(shown) == 3
    for line in shown:
        assert BrainSpec.model_validate(read(line, "README").data["brain"]).params["model"]
