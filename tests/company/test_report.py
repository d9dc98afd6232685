"""The report of a run in every format, whatever the run was like."""

from __future__ import annotations

import io
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from report_kit import hostile, record
from rich.console import Console

from company import events as ev
from company.account import read_run
from company.chart import BrainSpec, OrgChart
from company.chart_yaml import load_chart
from company.commands.report import report
from company.compute.backend import Outcome
from company.conclusion import conclude, of_holdout
from company.entities import Experiment
from company.ledger import Ledger
from company.report import close_run, report_text
from company.testing import planted_project, planted_trainer
from projects.spec import Metric
from roles.streams import stream

FORMATS = ("html", "md", "json", "terminal")
VOID = {"meta", "br", "hr"}


class Checked(HTMLParser):
    """Parses a page and holds on to what matters: balanced tags, tags seen, links out, handlers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> does not close what is open"

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]


def _marks(page: Checked) -> list[str]:
    """The classes of the runs in the figure (the legend's come in small drawings of their own)."""
    everywhere = [str(attrs.get("class")) for _, attrs in page.tags if str(attrs.get("class")).startswith("run ")]
    legend = ["run ok", "run base", "run again", "run ok", "run stopped", "run failed"]
    for style in legend:
        everywhere.remove(style)
    return everywhere


@pytest.mark.parametrize("chart", ["solo", "startup", "lab", "committee"])
def test_the_page_is_whole_and_stands_alone(tmp_path: Path, chart: str) -> None:
    record(tmp_path, chart)
    text = report_text(tmp_path, "html")
    page = Checked(text)
    assert not page.of("script") and not page.of("link") and not page.of("img")
    assert not re.findall(r"(?:src|href)=|url\(|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert not re.findall(r"[>\"\s,]-?(?:nan|inf)[<\",]", text.replace("loss is nan", ""))


def test_the_figure_has_one_mark_for_every_run_but_the_closing_ones(tmp_path: Path) -> None:
    state = record(tmp_path, "lab")
    shown = [e for e in state.experiments.values() if e.purpose != "closing"]
    marks = _marks(Checked(report_text(tmp_path, "html")))
    assert len(marks) == len(shown)
    for status in ("failed", "stopped", "refused"):
        assert marks.count(f"run {status}") == sum(e.status == status for e in shown)
    assert marks.count("run base") == 5


def test_hostile_text_is_only_text_in_every_format(tmp_path: Path) -> None:
    record(tmp_path, "lab", decide=hostile)
    text = report_text(tmp_path, "html")
    page = Checked(text)
    assert "&lt;script&gt;" in text and not page.of("script") and not page.of("img")
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    for form in FORMATS:
        shown = report_text(tmp_path, form)  # type: ignore[arg-type]
        assert all(c.isprintable() or c == "\n" for c in shown), form
    assert "A" * 600 not in text


def test_markdown_escapes_what_is_not_ours(tmp_path: Path) -> None:
    record(tmp_path, "lab", decide=hostile)
    text = report_text(tmp_path, "md")
    assert "<script" not in text and r"\*\*y\*\*" in text
    inline = [child for token in MarkdownIt("gfm-like").parse(text) for child in token.children or []]
    assert {token.type for token in inline} <= {"text", "softbreak", "strong_open", "strong_close"}
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 8, 9) for line in rows)
    assert not [line for line in text.splitlines() if line.startswith("# h")]


def test_a_gain_is_said_with_its_interval(tmp_path: Path) -> None:
    record(tmp_path)
    found = conclude(read_run(tmp_path).state)
    assert found.kind == "gain"
    assert re.match(
        r"The champion beats the baseline by 2\.\d+ ± 0\.\d+ nats on data nobody tuned on"
        r" \(95 % interval 2\.\d+ to 2\.\d+, 5 fresh seeds each\)\.",
        found.sentence,
    )


def test_no_gain_is_said_when_nothing_was_better(tmp_path: Path) -> None:
    def flat(run: Experiment) -> Outcome:
        return Outcome("ok", metric=1.0 + 0.01 * float(stream(run.seed, "flat", "noise").standard_normal()))

    record(tmp_path, train=flat, budget=12)  # type: ignore[arg-type]
    found = conclude(read_run(tmp_path).state)
    assert found.kind == "none" and "baseline" in found.sentence
    assert found.sentence in report_text(tmp_path, "html").replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("low", "high", "gain", "kind", "words"),
    [
        (-0.1, 0.3, 0.1, "none", "Nothing can be concluded: a gain of 0.1 nats may be noise"),
        (-0.3, -0.1, -0.2, "loss", "worse than the baseline by 0.2 nats"),
        (None, None, None, "none", "Nothing can be concluded: 1 pair of closing runs gave a result"),
    ],
)
def test_the_sentence_follows_the_interval(
    tmp_path: Path, low: float | None, high: float | None, gain: float | None, kind: str, words: str
) -> None:
    state = record(tmp_path)
    n = 1 if gain is None else 5
    found = of_holdout(state, ev.HoldoutMeasured(1.0, 0.9, gain, low, high, n))
    assert found.kind == kind and words in found.sentence


def test_a_metric_that_should_grow_is_said_the_right_way_round(tmp_path: Path) -> None:
    import dataclasses

    project = dataclasses.replace(planted_project(), metric=Metric("accuracy", "points", "max"))
    train = planted_trainer()

    def turned(run: Experiment) -> Outcome:
        outcome = train(run)
        return dataclasses.replace(outcome, metric=None if outcome.metric is None else -outcome.metric)

    record(tmp_path, project=project, train=turned)  # type: ignore[arg-type]
    account = read_run(tmp_path)
    assert conclude(account.state).kind == "gain"
    text = report_text(tmp_path, "html")
    assert "higher is better" in text and len(_marks(Checked(text))) > 40


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_that_failed_while_founding_is_reported(tmp_path: Path, form: str) -> None:
    record(tmp_path, train=lambda run: Outcome("failed", failure="crash", detail="no module <b>named</b> foo"))
    text = report_text(tmp_path, form)  # type: ignore[arg-type]
    assert "the baseline failed" in " ".join(text.replace("\\", "").split())
    if form in ("html", "md"):
        assert "named" in text and "<b>named" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_failed_baseline_is_told_with_its_last_words_and_a_log_only_where_there_is_one(
    tmp_path: Path, form: str
) -> None:
    words = "Traceback (most recent call last):\nImportError: no module named foo"
    state = record(tmp_path, train=lambda run: Outcome("failed", failure="crash", detail=words))
    assert state.closed is not None and state.closed.reason == "the baseline failed (crash) in e0001"
    log = tmp_path / "experiments" / "e0001" / "log.txt"

    def told() -> str:
        return report_text(tmp_path, form, 1000).replace("\\", "")  # type: ignore[arg-type]

    assert "the baseline failed (crash) in e0001: ImportError: no module named foo" in told()
    assert "log.txt" not in told()
    log.parent.mkdir(parents=True)
    log.write_text(words)
    assert f"{log} holds what it said" in told()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("most", [1, 2, 5, 9, 40, 200])
def test_a_run_that_stopped_anywhere_is_reported(tmp_path: Path, form: str, most: int) -> None:
    record(tmp_path, most=most)
    text = report_text(tmp_path, form)  # type: ignore[arg-type]
    assert ("interrupted" if form == "json" else "nothing can be concluded yet") in " ".join(text.split())


@pytest.mark.parametrize("form", FORMATS)
def test_a_ledger_without_events_is_reported(tmp_path: Path, form: str) -> None:
    Ledger(tmp_path / "ledger.sqlite", write=True).close()
    assert "not founded" in report_text(tmp_path, form)  # type: ignore[arg-type]


def test_references_stand_beside_the_champion(tmp_path: Path) -> None:
    import dataclasses

    project = dataclasses.replace(planted_project(), references={"gzip": 1.5, "x<y": 99.0})
    record(tmp_path, project=project)
    text = report_text(tmp_path, "html")
    assert "gzip 1.5" in text and "x&lt;y" in text and "champion better by" in text


@pytest.mark.parametrize(
    ("chart", "seed", "most", "replaced"),
    [("startup", 2, 10**6, 0), ("startup", 0, 10**6, 1), ("lab", 0, 10**6, 2), ("turnaround", 0, 10**6, 2),
     ("lab", 0, 600, 1)],
)  # fmt: skip
def test_the_closing_words_fit_a_small_terminal_with_its_prompt_and_leave_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chart: str, seed: int, most: int, replaced: int
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("runs", f"{chart}-byte_lm-1")
    state = record(folder, chart, seed=seed, most=most)
    lines = closed(folder, 80)
    assert len(lines) < 24 and all(len(line) <= 80 for line in lines)
    said = " ".join(" ".join(lines).split())
    assert ("The champion beats the baseline" in said) == (state.closed is not None)
    assert said.count(" replaced by ") == min(1, replaced) and (f"{replaced} replaced" in said) == bool(replaced)
    Checked((folder / "report.html").read_text())


def test_the_closing_words_name_the_best_and_count_the_others(tmp_path: Path) -> None:
    state = record(tmp_path, "lab")
    everyone = sorted(agent.id for agent in state.agents.values() if agent.role == "researcher")
    named = [line.split(" (")[0].split()[-1] for line in closed(tmp_path, 200) if " to " in line and ") in " in line]
    rest = next(int(line.split()[1]) for line in closed(tmp_path, 200) if line.split()[:1] == ["and"])
    assert named[0] == "kim_2" and set(named) < set(everyone) and len(named) + rest == len(everyone)


@pytest.mark.parametrize("width", [30, 80])
def test_a_command_in_the_closing_words_is_never_cut(tmp_path: Path, width: int) -> None:
    folder = tmp_path / ("a_long_name_" * 8)
    record(folder, most=40)
    assert f"loopworkstui{folder}" in "".join("".join(closed(folder, width)).split())


def closed(folder: Path, width: int) -> list[str]:
    """The lines that a run ends with in a terminal."""
    console = Console(file=io.StringIO(), width=width, height=24)
    close_run(folder, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    record(tmp_path)
    (tmp_path / "report.html").mkdir()
    console = Console(file=io.StringIO(), width=80)
    close_run(tmp_path, console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("no report was written: ")


def test_the_command_prints_each_format_and_changes_nothing(tmp_path: Path) -> None:
    record(tmp_path)
    before = _names(tmp_path)
    for form in FORMATS:
        result = CliRunner().invoke(report, [str(tmp_path), "--format", form])
        assert result.exit_code == 0 and len(result.stdout) > 300
    assert json.loads(CliRunner().invoke(report, [str(tmp_path), "--format", "json"]).stdout)["status"] == "closed"
    assert [name for name in _names(tmp_path) if not name.endswith(("-wal", "-shm"))] == before


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_unknown_directory_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "ledger.sqlite").write_text("not a database at all, but long enough to look at" * 30)
    for where in ("nowhere", "bad"):
        result = CliRunner().invoke(report, [str(tmp_path / where)])
        assert result.exit_code == 2 and result.stdout == "" and len(result.stderr.splitlines()) == 1


def _random_solo() -> OrgChart:
    solo = load_chart("solo")
    seats = [seat.model_copy(update={"brain": BrainSpec(kind="random")}) for seat in solo.positions]
    return solo.model_copy(update={"positions": tuple(seats)})


def test_two_thousand_experiments_are_reported_in_seconds(tmp_path: Path) -> None:
    state = record(tmp_path, _random_solo(), budget=2000)
    assert len(state.experiments) > 1500
    start = time.perf_counter()
    page = Checked(report_text(tmp_path, "html"))
    assert time.perf_counter() - start < 30
    assert len(_marks(page)) == sum(e.purpose != "closing" for e in state.experiments.values())
