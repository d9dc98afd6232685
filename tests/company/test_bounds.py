"""Whatever experiments, agents and other processes hand in: the record, the terminal, reports and dashboard hold.

docs/durability.md states the bounds; its table is held against the constants here.
"""

from __future__ import annotations

import importlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from core_kit import chart_of

from company.chaining import canonical
from company.compute.backend import Outcome
from company.compute.tail import CURVE_POINTS
from company.engine import Commanded, Engine
from company.ledger import Ledger
from company.report import Format, report_text
from company.state import State
from company.taming import clean, tame
from company.testing import Rehearsal, Run, offline, planted_project, planted_trainer
from company.verifying import verify
from roles.intents import Intent, Propose
from roles.observation import Observation
from tests.support import loopworks, write_chart, write_project
from tests.tui.kit import opened

PAGE = Path(__file__).parents[2] / "docs" / "durability.md"
FORMATS: tuple[Format, ...] = ("json", "md", "html", "terminal")
ACTS_ON_A_TERMINAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

SPEW = r"""
    def spew():
        sys.stdout.write("a line of output\n" * 1_000_000)
        sys.stdout.flush()
        sys.stdout.buffer.write(os.urandom(1 << 20))
        sys.stdout.buffer.flush()
        print("\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b31m \u202e[bold]markup[/] <script>alert(1)</script>")
    lines = ["[" * 10_000, '{"step": ' + "9" * 5000 + ', "loss": 1}', '{"step": 1, "loss": ' + "9" * 400 + "}", "\x00",
             '{"step": 1, "loss": {' + '"a": {' * 10_000, "x" * 100_000, '{"step": 1e999, "loss": 1}']
    (out / "metrics.jsonl").write_text("\n".join(lines) + "\n" + '{"step": 1, "loss": 1e99}\n')
    if config["size"] == 2:
        last = "NaN" if config["x"] > 0.5 else "1e308"
        (out / "metrics.jsonl").write_text('{"step": 1, "loss": 1}\n{"step": 2, "loss": ' + last + "}\n")
    spew()
"""


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose every experiment says far too much, and some of them worse."""
    folder = tmp_path_factory.mktemp("loud")
    train = write_project(folder / "tiny", seconds=30.0) / "train.py"
    begins = '    mode, out = config["mode"], Path(args.out)\n'
    text = train.read_text()
    assert begins in text
    kept = text.replace('(out / "metrics.jsonl").open("w")', '(out / "metrics.jsonl").open("a")')
    train.write_text(kept.replace(begins, begins + SPEW))
    write_chart(folder / "chart.yaml", experiments=5, watch="never")
    done = loopworks("run", "chart.yaml", "--project", "tiny", "--slots", "2", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not ACTS_ON_A_TERMINAL.search(done.stderr + done.stdout)
    assert len(done.stderr) < 20_000
    return folder / "out"


def test_what_experiments_say_is_cut_and_the_record_stays_small_and_whole(loud: Path) -> None:
    found = verify(loud)
    assert found.whole, found.faults
    assert (loud / "ledger.sqlite").stat().st_size < 1_000_000
    with closing(Ledger(loud / "ledger.sqlite")) as ledger:
        tables, state = ledger.tables(), ledger.fold()
        curves = [ledger.curve(name) for name in state.experiments]
    assert max(len(row["payload"]) + len(row["measured"]) for row in tables["event"]) < 20_000
    assert max(len(curve) for curve in curves) <= CURVE_POINTS + 1
    for row in tables["event"]:
        assert not ACTS_ON_A_TERMINAL.search(row["payload"] + row["measured"])
    failures = {e.failure for e in state.experiments.values()}
    assert "diverged" in failures and state.phase == "closed"
    logs = [path.stat().st_size for path in loud.glob("experiments/*/log.txt")]
    assert len(logs) > 5 and max(logs) < 300 * 1024


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_passes_it_on(loud: Path, form: Format) -> None:
    text = report_text(loud, form, 100)
    assert not ACTS_ON_A_TERMINAL.search(text) and "<script>alert" not in text
    assert len(text) < 200_000
    if form == "json":
        json.loads(text, parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("tab", ["experiments", "slots", "timeline"])
async def test_the_dashboard_shows_it_without_harm(loud: Path, tab: str) -> None:
    async with opened(loud, tab) as (app, _):
        picture = app.export_screenshot()
    assert not ACTS_ON_A_TERMINAL.search(picture) and "owned" not in picture


def nested(depth: int) -> Any:
    found: Any = 1.0
    for _ in range(depth):
        found = [found]
    return found


NASTY = {
    "deep": nested(400),
    "long": ["x" * 100_000] * 1000,
    "huge": 10**5000,
    "infinite": float("inf"),
    "not a number": float("nan"),
    "odd": "\x00\ud800\x1b[2J",
}


@pytest.mark.parametrize("what", NASTY)
def test_no_answer_of_an_agent_is_too_much_for_the_record(tmp_path: Path, what: str) -> None:
    def decide(state: State, observation: Observation) -> list[Intent]:
        if observation.task == "propose" and observation.turn == 0:
            return [Propose.model_construct(config={"lr": NASTY[what]}, reason="x", predicted=None)]
        return offline(state, observation)

    chart = chart_of("solo", 3, found={"baselines": 2}, close={"seeds": 2})
    with closing(Ledger(tmp_path / "ledger.sqlite", write=True)) as ledger:
        work = Rehearsal(Engine(planted_project()), planted_trainer(), decide)
        step = work.follow(work.engine.found(chart, 0, 1))
        while step is not None:
            ledger.append(step.events, work.engine.state)
            step = work.advance()
        rows = ledger.tables()["event"]
    assert verify(tmp_path).whole and work.engine.state.phase == "closed"
    assert max(len(row["payload"]) for row in rows) < 1_000_000


@pytest.mark.parametrize("what", NASTY)
def test_no_measurement_is_too_much_for_the_record(tmp_path: Path, what: str) -> None:
    def train(run: Run) -> Outcome:
        return Outcome("ok", metric=1.0, measured={"seconds": 1.0, what: NASTY[what]})

    chart = chart_of("solo", 2, found={"baselines": 2}, close={"seeds": 2})
    with closing(Ledger(tmp_path / "ledger.sqlite", write=True)) as ledger:
        work = Rehearsal(Engine(planted_project()), train)
        step = work.follow(work.engine.found(chart, 0, 1))
        while step is not None:
            ledger.append(step.events, work.engine.state)
            step = work.advance()
    assert verify(tmp_path).whole
    assert (tmp_path / "ledger.sqlite").stat().st_size < 8_000_000


COMMANDS = {
    "deep": "[" * 10_000,
    "deep enough to be read": '{"a": ' + "[" * 500 + "]" * 500 + "}",
    "not a number": '{"revision": NaN}',
    "infinite": '{"revision": 1e999}',
    "huge": '{"revision": ' + "9" * 5000 + "}",
    "half a character": '{"experiment": "\\ud800"}',
    "long": json.dumps({"because": "x" * 5_000_000}),
    "not JSON": "DROP TABLE event",
    "no mapping": "[1]",
}


@pytest.mark.parametrize("what", COMMANDS)
def test_no_command_that_somebody_wrote_into_the_table_stops_a_company(tmp_path: Path, what: str) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(Ledger(path, write=True)) as ledger:
        work = Rehearsal(Engine(planted_project()), planted_trainer())
        ledger.append(work.follow(work.engine.found(chart_of("solo", 2), 0, 1)).events, work.engine.state)
        with closing(sqlite3.connect(path)) as other, other:
            insert = "INSERT INTO command (wall, kind, args, by, status, answer) VALUES (0, ?, ?, ?, 'new', '')"
            other.executemany(insert, [(kind, COMMANDS[what], "\x1b[2J" * 100) for kind in ("undo", "stop", "\x00no")])
        for each in ledger.commands():
            step = work.engine.handle(Commanded(each.id, each.action, each.args, each.by), work.engine.state.now)
            ledger.append(step.events, work.engine.state)
        assert not ledger.commands()
    found = verify(tmp_path)
    assert found.whole, found.faults


def test_the_bounds_that_the_page_states_are_those_of_the_code() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Bounds")[1].split("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| (1e\d+|[\d,]+)[^|]* \| `([\w.]+)` \|$", table, re.MULTILINE)
    assert len(rows) == table.count("\n| ") - 2 >= 15
    for stated, name in rows:
        module, _, constant = name.rpartition(".")
        assert float(stated.replace(",", "")) == value_of(module, constant), name


def value_of(module: str, constant: str) -> float:
    try:
        return getattr(importlib.import_module(module), constant)
    except ModuleNotFoundError:  # a class's default
        outer, _, name = module.rpartition(".")
        return getattr(getattr(importlib.import_module(outer), name)(), constant)


def test_text_that_was_cut_says_so() -> None:
    assert clean("x" * 10_000).endswith("…") and len(clean("x" * 10_000)) == 500
    assert tame(nested(100))[0] is not None and "nested too deeply" in canonical(tame(nested(100)))
