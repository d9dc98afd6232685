"""Pictures and reports of a batch: whole, self-contained, repeatable, and safe with anyone's names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

import pytest
from batch_kit import batch, row

from company.batch import plots, report
from company.batch.rows import Arm
from company.batch.statistics import Analysis, analyse

HOSTILE = "_<script>alert('$x^2$')</script>|\x1b[31m -- ]]> \u202e&amp;"
MADE = {"command": "loopworks batch startup solo --seeds 6", "version": "1 | <b>2</b>"}
SOLO = Arm("solo")


@pytest.fixture(scope="module")
def found() -> Analysis:
    rows = batch(6, 2, {("startup", ""): 0.9, (HOSTILE, "a=$b$"): 0.5, ("solo", ""): 1.0})
    return analyse([*rows, row("solo", HOSTILE, 0, None), row("startup", HOSTILE, 0, 0.2)], {SOLO})


def test_every_picture_is_written_in_both_formats(found: Analysis, tmp_path: Path) -> None:
    written = plots.write(found, tmp_path)
    names = [f"{name}.{form}" for name in ("arms", "contrasts", "profile", "progress") for form in ("svg", "png")]
    assert [path.name for path in written] == names
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in written if path.suffix == ".png")
    for path in written[::2]:
        words = "".join(ET.parse(path).getroot().itertext())
        assert "startup" in words and "'$x^2$'" in words, path.name


def test_pictures_say_the_unit(found: Analysis) -> None:
    for name in ("arms", "contrasts", "profile"):
        assert "0 the best there is, 1 a random draw" in plots.drawn(found, name, "svg").decode()
    assert "slot-seconds" in plots.drawn(found, "progress", "svg").decode()


def test_a_picture_is_the_same_to_the_byte_whatever_the_users_settings(found: Analysis) -> None:
    import matplotlib

    first = [plots.drawn(found, name, "svg") for name in plots.pictures(found)]
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert [plots.drawn(found, name, "svg") for name in plots.pictures(found)] == first
        assert matplotlib.rcParams["font.size"] == 30


def test_many_arms_are_drawn_in_part_with_the_reference_always() -> None:
    many = {(f"c{n}", ""): 0.5 + n / 50 for n in range(12)}
    found = analyse(batch(3, 1, {**many, ("solo", ""): 2.0}, noise=0.001), {SOLO})
    drawn = plots.drawn(found, "profile", "svg").decode()
    assert "solo" in drawn and "c0" in drawn and "c11" not in drawn


@pytest.mark.parametrize("name", ["arms", "contrasts", "profile", "progress"])
def test_no_word_of_a_picture_is_cut_off(name: str) -> None:
    long = "replace.rule=posterior watch.rungs=[0.25,0.5] accept.p=0.01 assign.share=bandit"
    arms = {(f"a_chart_of_mine_{n}", long): 0.5 + n / 9 for n in range(3)}
    found = analyse(batch(3, 1, arms), {Arm("a_chart_of_mine_0", long)})
    with plots.look():
        figure = plots.pictures(found)[name]()
        figure.canvas.draw()
        drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 >= 0 and drawn.y0 >= 0 and drawn.x1 <= width and drawn.y1 <= height


def test_the_page_states_its_conclusion_first_and_loads_nothing(found: Analysis) -> None:
    text = report.page(found, MADE)
    assert text.index(f"<h1>{escape(found.verdict.sentence)}</h1>") < text.index("<table")
    assert "prefers-color-scheme: dark" in text and "var(--ink)" in text
    assert not re.findall(r"<script|<link|<img|<iframe|\ssrc=|@import|\son\w+=", text)
    assert not [at for at in re.findall(r"href=\"([^\"]*)|url\(([^)]*)", text) if not "".join(at).startswith("#")]
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for words in ("How it was made", "Failures", "Against solo", "pairing helped", MADE["command"]):
        assert words in text
    assert report.page(found, MADE) == text


def test_strangers_names_stay_text(found: Analysis) -> None:
    page, text = report.page(found, MADE), report.markdown(found, MADE)
    for each in (page, text):
        assert "<script" not in each and "<b>" not in each
        assert "\x1b" not in each and "\u202e" not in each
    assert "script" in found.verdict.sentence
    assert "&lt;script&gt;" in page and r"\|" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) >= 3 for line in rows)


def test_markdown_has_the_sentence_every_table_and_the_pictures(found: Analysis) -> None:
    text = report.markdown(found, MADE, "plots")
    assert text.splitlines()[0] == "# A batch of 38 runs, 3 arms on 3 projects"
    assert text.splitlines()[2].startswith("**")
    titles = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert titles == ["Arms", "Against solo", "Failures", "How it was made"]
    assert re.findall(r"!\[.*\]\((.*)\)", text) == [
        "plots/arms.svg", "plots/contrasts.svg", "plots/profile.svg", "plots/progress.svg",
    ]  # fmt: skip
    assert "![" not in report.markdown(found, MADE)


@pytest.mark.parametrize("seeds, regret", [(1, 0.2), (3, 0.0), (2, None)])
def test_a_poor_batch_still_has_a_report(seeds: int, regret: float | None) -> None:
    rows = [row(chart, "p", seed, regret) for chart in ("solo", "startup") for seed in range(seeds)]
    found = analyse(rows, {SOLO})
    text = report.page(found, {}) + report.markdown(found, {})
    assert not re.findall(r"[>\s](?:nan|inf)[<\s]", text)


def test_the_statistics_load_no_pictures_until_they_are_drawn() -> None:
    import subprocess
    import sys

    code = "import sys, company.batch.report, company.batch.race; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "scipy", "torch", "autogen_core"} & set(loaded)
