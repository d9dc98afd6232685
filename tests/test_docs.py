"""What README, docs and --help tell people to type can be typed, and what they point to is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from company.batch.grid import resolve
from company.batch.scenario import read_scenario, scenario
from company.chart import BrainSpec
from company.chart_yaml import find_chart, load_chart, read_text, shipped_charts
from company.cli import COMMANDS, loopworks
from company.comparison import choices, settings
from company.simulated import FAMILIES
from company.validation import VALIDATIONS
from projects.load import shipped_projects
from tui.keymap import parse_keymap

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILE = re.compile(
    r"\b(?:tests|company|roles|projects|tui|benchmarks|docs|org_charts)/[\w./-]*\w\.(?:py|md|yaml|json|svg)\b"
)
NUMBERS = ("N", "K", "R", "S", "ROW")  # names that stand for a whole number
FOREIGN = ("--security-opt", "--config", "--data", "--micro-batch", "--keys")  # of Docker, of train.py, of a benchmark


def blocks(page: Path) -> str:
    """What a page has in blocks to type, indented ones too."""
    text = page.read_text(encoding="utf-8")
    fenced = [block for language, block in FENCED.findall(text) if language in ("", "sh", "bash", "console", "text")]
    return "\n".join([*fenced, *(line for line in FENCED.sub("", text).splitlines() if line.startswith("    "))])


def spans(page: Path) -> list[str]:
    """What a page has between backticks in its sentences."""
    return [" ".join(span.split()) for span in SPAN.findall(FENCED.sub("", page.read_text(encoding="utf-8")))]


def lines() -> list[tuple[str, str]]:
    """(page, line) for every command line of ours in a block, a sentence or a help text, without remarks.

    A sentence may mention a command by its name alone.
    """
    found = []
    for page in PAGES:
        typed = [line.strip().removeprefix("$ ") for line in blocks(page).replace("\\\n", " ").splitlines()]
        for line in [*typed, *(span for span in spans(page) if span not in mentions())]:
            parts = re.split(r"\s#|\s>", line)[0].split(" && ")
            found += [(page.name, part.strip()) for part in parts if part.strip().startswith("loopworks ")]
    for command, ctx in commands():
        paragraphs = [" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n")]
        found += [(f"{ctx.command_path} --help", text) for text in paragraphs if text.startswith("loopworks ")]
    return list(dict.fromkeys(found))


def commands() -> Iterator[tuple[click.Command, click.Context]]:
    """Every command and subcommand."""
    left: list[tuple[click.Command, click.Context]] = [(loopworks, click.Context(loopworks, info_name="loopworks"))]
    while left:
        command, ctx = left.pop()
        yield command, ctx
        if isinstance(command, click.Group):
            names = command.list_commands(ctx)
            below = [found for name in names if (found := command.get_command(ctx, name))]
            left += [(each, click.Context(each, info_name=each.name, parent=ctx)) for each in below]


@cache
def mentions() -> frozenset[str]:
    """Every command by its name."""
    return frozenset(" ".join(ctx.command_path.split()) for _, ctx in commands())


def parse(line: str) -> click.Context:
    """Read a line as the command would, values and all, and carry nothing out. Raises click.UsageError."""
    words = [word.strip("[]").split("|")[0] for word in shlex.split(line)[1:] if word not in ("--help", "...")]
    words = ["1" if word in NUMBERS else word for word in words]
    command, ctx = loopworks, click.Context(loopworks, info_name="loopworks")
    while isinstance(command, click.Group):
        places = sum(isinstance(param, click.Argument) for param in command.params)
        if len(words) <= places:
            break
        if places:
            command.make_context(command.name, words[: places + 1], parent=ctx)
        _, found, words = command.resolve_command(ctx, words[places:])
        assert found is not None, line
        command, ctx = found, click.Context(found, info_name=found.name, parent=ctx)
    return ctx if line == "loopworks --help" else command.make_context(command.name, words, parent=ctx.parent)


@pytest.mark.parametrize(("page", "line"), lines())
def test_a_line_that_is_shown_is_understood(page: str, line: str) -> None:
    means_what_is_there(parse(line))


def means_what_is_there(ctx: click.Context) -> None:
    """The charts, projects, policies and validations that a line names by a bare name are shipped."""
    given = ctx.params
    charts = [given[name] for name in ("chart", "before", "after", "template") if given.get(name)]
    for chart in [*charts, *given.get("charts", ())]:
        assert Path(chart).suffix == ".yaml" or load_chart(chart)
    if ctx.info_name == "run" and (project := given.get("project")):
        assert project in shipped_projects() or "/" in project or project.isupper()
    if ctx.info_name == "compare" and given:
        assert given["project"] in FAMILIES and settings(load_chart(given["chart"]), given["options"])
    if ctx.info_name == "batch" and given and Path(given["charts"][0]).suffix != ".yaml":
        said = {"charts": given["charts"], "set": choices(given["options"]), "projects": given["projects"]}
        assert len(resolve(scenario({name: value for name, value in said.items() if value})))
    if ctx.info_name == "validate":
        assert set(given.get("names", ())) <= set(VALIDATIONS)


def options(page: Path) -> Iterator[tuple[str, list[str]]]:
    """(span, its words) for every option that a page names without its command, or with that alone."""
    for span in spans(page):
        words = span.split()
        if span.startswith("--") or (words[0] in COMMANDS and any(word.startswith("--") for word in words)):
            yield span, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_option_that_a_sentence_names_is_there_and_takes_that_value(page: Path) -> None:
    everything = list(commands())
    for span, words in options(page):
        if words[0] in FOREIGN:
            continue
        of = words.pop(0) if words[0] in COMMANDS else None
        name, values = words[0], [("1" if word in NUMBERS else word) for word in words[1:]]
        holders = [(c, ctx) for c, ctx in everything if of in (None, ctx.info_name)]
        known = [(p, ctx) for c, ctx in holders for p in c.params if name in (*p.opts, *p.secondary_opts)]
        assert known, f"{page.name}: {span}"
        assert not values or any(takes(param, values[0], ctx) for param, ctx in known), f"{page.name}: {span}"


def takes(param: click.Parameter, value: str, ctx: click.Context) -> bool:
    try:
        param.type.convert(value, param, ctx)
    except click.UsageError:
        return False
    return not (isinstance(param, click.Option) and param.is_flag)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_script_a_target_and_a_file_that_a_page_names_are_there(page: Path) -> None:
    text, targets = page.read_text(encoding="utf-8"), (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [name for name in FILE.findall(text) if not (ROOT / name).exists()] == []
    modules = re.findall(r"python -m ((?:benchmarks|company|tui|projects)[\w.]*)", text)
    assert [name for name in modules if not (ROOT / name.replace(".", "/")).with_suffix(".py").exists()] == []
    made = re.findall(r"^make (\w+)", blocks(page), re.MULTILINE) + [
        s.split()[1] for s in spans(page) if s[:5] == "make "
    ]
    assert [name for name in made if not re.search(rf"^{name}:", targets, re.MULTILINE)] == []


def test_every_command_says_in_one_line_what_it_does_and_what_its_options_are_for() -> None:
    for command, ctx in commands():
        listed = command.get_help(ctx).partition("\nCommands:\n")[2]
        assert "..." not in listed, f"{ctx.command_path}: a summary that is cut"
        assert command.help, ctx.command_path
        silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
        assert not silent, f"{ctx.command_path}: {silent}"


def test_the_scenario_that_a_page_shows_can_be_run(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    (shown,) = [block for language, block in FENCED.findall(text) if language == "yaml"]
    (tmp_path / "mine.yaml").write_text(shown)
    (tmp_path / "my_lab.yaml").write_text(read_text(find_chart("lab")))
    found = read_scenario(tmp_path / "mine.yaml")
    assert found is not None and len(resolve(found)) > 50


def test_the_keys_that_a_page_shows_are_taken() -> None:
    text = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    (shown,) = [block for language, block in FENCED.findall(text) if language == "toml"]
    keymap, problems = parse_keymap(tomllib.loads(shown))
    assert keymap and not problems


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
