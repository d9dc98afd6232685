"""A path that is empty is a slip: no command takes it for the directory it happens to be in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from company.cli import COMMANDS, loopworks
from projects.load import ProjectError, load_project
from tests.support import write_project


def paths_of(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Words that give a command one empty path, for each of its paths; whatever else it requires is made up."""
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            yield *words, *_given(command, parameter)
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            own = [_words(p, _something(p)) for p in command.params if isinstance(p, click.Argument)]
            yield from paths_of(below, (*words, *(word for part in own for word in part), name))


def _given(command: click.Command, empty: click.Parameter) -> Iterator[str]:
    options = [p for p in command.params if isinstance(p, click.Option) and (p is empty or p.required)]
    arguments = [p for p in command.params if isinstance(p, click.Argument) and (p is empty or p.required)]
    for parameter in (*options, *arguments):
        yield from _words(parameter, "" if parameter is empty else _something(parameter))
    if isinstance(command, click.Group):
        yield next(iter(command.commands))


def _words(parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return (value,) if isinstance(parameter, click.Argument) else (parameter.opts[0], value)


def _something(parameter: click.Parameter) -> str:
    return "1" if isinstance(parameter.type, click.types.IntParamType) else "something"


def every_path() -> list[tuple[str, ...]]:
    context = click.Context(loopworks)
    commands = {name: loopworks.get_command(context, name) for name in COMMANDS}  # type: ignore[attr-defined]
    return [words for name, command in commands.items() if command for words in paths_of(command, (name,))]


@pytest.mark.parametrize("words", every_path(), ids=lambda words: " ".join(word or "''" for word in words))
def test_an_empty_path_is_one_line_and_exit_code_2(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(loopworks, list(words), standalone_mode=False)
    assert isinstance(result.exception, click.UsageError) and result.exception.exit_code == 2
    assert "it is empty" in str(result.exception) and "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_every_command_that_writes_is_looked_at() -> None:
    with_out = {words[0] if words[0] != "project" else words[1] for words in every_path() if "--out" in words}
    assert with_out == {"run", "batch", "replay", "calibrate", "record", "import-table"}


def test_a_project_without_a_name_is_not_the_one_in_this_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_project(tmp_path / "tiny")
    monkeypatch.chdir(project)
    with pytest.raises(ProjectError, match="no project is named"):
        load_project("")
    assert load_project(".").name
