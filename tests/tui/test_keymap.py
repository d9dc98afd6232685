"""A person's own keys: what is wrong is said before anything is drawn; what is right is shown and works."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from textual.widgets import Footer

from company.commands import tui as command
from tests.tui.kit import HOSTILE, rest
from tui.app import Dashboard
from tui.keymap import KeymapError, key_named, parse_keymap, read_keymap
from tui.keys import KEYS
from tui.screenshots import settle
from tui.visit import Visit
from tui.widgets.help import Help, help_lines


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Q", "Q"), ("?", "question_mark"), ("[", "left_square_bracket"), ("+", "plus"), ("ctrl++", "ctrl+plus"),
        ("F5", "f5"), ("esc", "escape"), ("space", "space"), ("ctrl+S", "ctrl+s"), ("shift+a", "A"), ("pgup", "pageup"),
        ("shift+ctrl+x", "ctrl+shift+x"), ("bogus", None), ("", None), ("hyper+x", None), ("ctrl+", None), ("é", None),
    ],
)  # fmt: skip
def test_keys_are_written_as_they_are_typed(text: str, named: str | None) -> None:
    assert key_named(text) == named


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('org.opne = "o"', "no action org.opne: did you mean org.open?"),
        ('live = "x"', "no action live: did you mean app.live?"),
        ('app.live = "hyper+x"', "app.live: no key hyper+x"),
        ("app.live = 3", "app.live: no key that is a int"),
        ("app.live = []", "app.live: needs a key"),
        ('org.fold = "enter"', "org.open and org.fold are both on enter"),
        ('app.live = "o"', "app.live and experiments.order are both on o"),
        ('experiments.order = "j"', "experiments.order: j moves in tables"),
        ('app.live = "ctrl+c"', "app.live: ctrl+c always leaves"),
        ('app.live = "ctrl+i"', "app.live: ctrl+i is tab in a terminal"),
        ('chart.save = "s"', "chart.save: s would be typed into the editor"),
    ],
)
def test_what_is_wrong_is_said_with_the_right_word(text: str, says: str) -> None:
    _, problems = parse_keymap(tomllib.loads(f"[keys]\n{text}"))
    assert any(says in problem for problem in problems), problems
    assert not any("\n" in problem for problem in problems)


def test_hostile_words_stay_on_their_line() -> None:
    keys = {text or "empty": text for text in HOSTILE} | {"app.live": list(HOSTILE)}
    _, problems = parse_keymap({"keys": keys})
    assert len(problems) >= 2 * len(HOSTILE) - 1
    assert all(problem.isprintable() and len(problem) < 300 for problem in problems)


def test_keys_that_change_places_do_not_clash() -> None:
    keymap, problems = parse_keymap({"keys": {"agents": {"order": "f", "former": ["o", "f6"]}, "app.quit": "Q"}})
    assert not problems and keymap == {"agents.order": "f", "agents.former": "o,f6", "app.quit": "Q"}


def test_every_default_key_could_be_written_in_the_file() -> None:
    for key in KEYS:
        keymap, problems = parse_keymap({"keys": {key.name: key.keys.split(",")}})
        assert not problems or keymap == {}, (key, problems)


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"[keys\nx", "line 1"), (b"\xff\xfe", "UTF-8"), (b"keys = 3", "keys is a table"), (b"[kesy]\n", "no [kesy]")],
)
def test_a_file_that_cannot_be_used_is_named(body: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(body)
    with pytest.raises(KeymapError) as error:
        read_keymap(tmp_path / "config.toml")
    assert says in str(error.value) and str(error.value).startswith(str(tmp_path / "config.toml"))


def test_no_file_means_no_keys_unless_it_was_named(tmp_path: Path) -> None:
    assert read_keymap(tmp_path / "none.toml") == {}
    with pytest.raises(KeymapError, match="LOOPWORKS_CONFIG"):
        read_keymap(tmp_path / "none.toml", needed=True)


def test_the_command_says_everything_at_once_and_exits_with_2(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('[keys]\norg.opne = "o"\napp.live = "hyper+x"\n')
    monkeypatch.setenv("LOOPWORKS_CONFIG", str(config))
    monkeypatch.setattr(command, "has_screen", lambda: True)
    found = CliRunner().invoke(command.tui, [str(finished)])
    assert found.exit_code == 2 and len(found.stderr.strip().splitlines()) == 2
    assert found.stderr.count(str(config)) == 2


async def test_own_keys_work_and_are_shown(finished: Path) -> None:
    keymap, problems = parse_keymap({"keys": {"app.experiments": "f11", "app.help": "H", "org.fold": "\\"}})
    assert not problems
    app = Dashboard(finished, tick=0.02, visit=Visit(keymap=keymap))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("2", "question_mark")
        await rest(app, pilot)
        assert app.tab == "org" and len(app.screen_stack) == 1
        footer = " ".join(str(each.render()) for each in app.query_one(Footer).children)
        assert "\\ fold" in footer and "H help" in footer and "? help" not in footer
        await pilot.press("H")
        await rest(app, pilot)
        assert isinstance(app.screen, Help)
        await pilot.press("H")
        await rest(app, pilot)
        assert len(app.screen_stack) == 1
        await pilot.press("f11")
        await rest(app, pilot)
        assert app.tab == "experiments"


def test_the_help_lists_own_keys() -> None:
    lines = ["".join(text for text, _ in line) for line in help_lines("org", {"org.fold": "f7"})]
    assert any(line.startswith("F7 ") and "fold" in line for line in lines)
