"""`loopworks org`: data on standard output, talk on standard error, no traceback whatever it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from company.chart_notes import notes
from company.chart_yaml import load_chart, shipped_charts
from company.commands.org import org


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(org, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("name", shipped_charts())
def test_show_names_everyone(name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 0
    assert all(position.id in result.stdout for position in load_chart(name).positions)
    assert result.stderr == ""


def test_show_names_the_policies_that_differ(tmp_path: Path) -> None:
    assert "review: rule 2-of-3" in run("show", "committee").stdout
    assert "accept: fresh_seeds 1, finals 0.15" in run("show", "startup").stdout
    plain = tmp_path / "plain.yaml"
    plain.write_text("company: plain\npositions: [{id: bob, role: researcher}]\n")
    assert "all at their defaults" in run("show", str(plain)).stdout


def test_show_gives_the_chart_as_json() -> None:
    data = json.loads(run("show", "lab", "--json").stdout)
    assert data == {"chart": load_chart("lab").to_dict(), "notes": []}


def test_what_does_not_act_yet_is_said(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "company: c\nbudget: {experiments: 3, tokens: 5}\n"
        "policies: {promote: {rule: merit}, reorganise: {rule: evidence}, replace: {below: -1}}\n"
        "positions: [{id: a, role: researcher}]\ntalent: [{role: manager}, {role: researcher}]\n"
    )
    for command in ("show", "check"):
        result = run(command, str(file))
        assert result.exit_code == 0
        idle = "limits nothing: no brain of this chart is a language model"
        assert f"budget.tokens {idle}" in result.stderr
        assert "promote" not in result.stderr and "reorganise" not in result.stderr and "below" not in result.stderr


@pytest.mark.parametrize("name", shipped_charts())
def test_a_shipped_chart_asks_for_nothing_that_does_not_act(name: str) -> None:
    assert notes(load_chart(name)) == ()


def test_check_reports_every_chart_and_fails_if_one_does(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("company: c\npositions: [{id: a, role: reseacher}]\n")
    result = run("check", "startup", str(file), "nowhere.yaml")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[0] == (f"{file}:2:27: role 'reseacher' is not a role; did you mean 'researcher'?")
    assert "nowhere.yaml: no such chart" in result.stdout
    assert result.stderr == "startup: ok\n"
    reports = json.loads(run("check", "startup", str(file), "--json").stdout)["charts"]
    assert [report["ok"] for report in reports] == [True, False]
    assert reports[1]["problems"][0]["column"] == 27


def test_diff_speaks_of_people() -> None:
    result = run("diff", "startup", "committee")
    assert result.exit_code == 0
    assert "fay is added: reviewer, reports to ada" in result.stdout
    assert "policies.review.rule: single -> 2-of-3" in result.stdout
    assert {change["kind"] for change in json.loads(run("diff", "startup", "solo", "--json").stdout)["changes"]} >= {
        "removed",
        "policy",
    }
    same = run("diff", "solo", "solo")
    assert (same.exit_code, same.stdout) == (0, "")


def test_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["title"] == "Loopworks org chart"


def test_new_copies_a_chart_with_its_comments_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    assert run("new", str(file), "--from", "lab").exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert load_chart(file).company == "acme"
    assert "# Breeding: mix what worked." in text
    again = run("new", str(file))
    assert again.exit_code == 2
    assert "--force overwrites it" in again.stderr
    assert file.read_text(encoding="utf-8") == text
    assert run("new", str(file), "--force", "--company", "Acme: [bold]labs").exit_code == 0
    assert load_chart(file).company == "Acme: [bold]labs"


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nowhere"),
        ("show", "a\x1b[2Jb"),
        ("diff", "startup", "nowhere"),
        ("new", "no/such/folder/c.yaml"),
        ("new", "c.yaml", "--from", "nowhere"),
        ("new", "c.yaml", "--company", "\x1b[31m"),
        ("new", "c.yaml", "--company", "\udcff"),
        ("check", ".", "/dev/null", ""),
    ],
)
def test_bad_input_is_a_line_and_exit_code_two(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_markup_in_a_chart_is_text(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "company: '[bold]c[/nope]'\nmission: '[link=http://x]m'\n"
        "positions: [{id: a, role: researcher, title: '[red]boss[/'}]\n"
        "talent: [{role: researcher, name: '[/]'}]\n"
    )
    shown = run("show", str(file)).stdout
    for text in ("[bold]c[/nope]", "[link=http://x]m", "[red]boss[/", "[/]"):
        assert text in shown
