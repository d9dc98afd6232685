"""Companies with language models through the public door: a chart, a server on the loopback, `loopworks run`."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from company import events as ev
from company.cli import loopworks as cli
from company.ledger import Ledger
from tests.model_server import Asked, ModelServer, Said, call, sensible, serving
from tests.support import kill_hard, loopworks, start, write_project

pytest.importorskip("autogen_ext")

KEY = "sk-test-51aBcDeFgHiJkLmNoPqRsTuVwXyZ"


def write_models(folder: Path, server: ModelServer, *, experiments: int = 6, extra: str = "", budget: str = "") -> Path:
    """The millisecond project and a mixed company: two models, an optimiser, a model that reviews."""
    if not (folder / "tiny").exists():
        write_project(folder / "tiny")
    small = f'provider: openai, model: small, base_url: "{server.url()}", tries: 2, timeout_s: 5{extra}'
    (folder / "c.yaml").write_text(f"""
company: mixed
budget: {{experiments: {experiments}{budget}}}
policies: {{found: {{baselines: 2}}, close: {{seeds: 2}}, assign: {{every: 3}}, appraise: {{every: 4, after: 1}}}}
positions:
  - {{id: ada, role: manager, brain: {{{small}}}}}
  - {{id: bob, role: researcher, reports_to: ada, brain: {{{small}, offline: random}}}}
  - {{id: cleo, role: researcher, reports_to: ada, brain: random}}
  - {{id: dan, role: engineer, reports_to: ada, brain: {{{small}}}}}
  - {{id: eve, role: reviewer, reports_to: ada, brain: {{{small}}}}}
""")
    return folder / "c.yaml"


def run(folder: Path, *words: object, **settings: Any) -> dict[str, Any]:
    """A finished run's summary; a run that failed fails the test with what it said."""
    done = loopworks("run", "c.yaml", "--project", "tiny", "--json", "--plain", *words, cwd=folder, **settings)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "stderr": done.stderr}


def told(directory: Path, *kinds: type[ev.Event]) -> list[Any]:
    with closing(Ledger(directory / "ledger.sqlite")) as ledger:
        return [one.event for one in ledger.events() if isinstance(one.event, kinds)]


def test_a_mixed_company_works_is_recorded_and_played_back_to_the_same_digest_and_keeps_no_key(tmp_path: Path) -> None:
    def leaky(asked: Asked) -> Said:
        said = sensible(asked)
        return call("Verdict", outcome="promising", p_real=0.6, reason=f"{KEY}!") if asked.task == "verdict" else said

    environment = {**os.environ, "LOCAL_API_KEY": KEY}
    with serving(leaky) as server:
        write_models(tmp_path, server, extra=", key_env: LOCAL_API_KEY")
        found = run(tmp_path, "--out", "run", "--slots", 2, "--deterministic", env=environment)
        assert {asked.key for asked in server.asked} == {KEY}
    assert found["status"] == "closed" and found["models"]["decisions"] == len(server.asked) > 10
    decisions = [made for made in told(tmp_path / "run", ev.DecisionMade) if "model" in made.measured]
    assert len(decisions) == len(server.asked) and not any(made.problem for made in decisions)
    assert "What the models took" in (tmp_path / "run" / "report.html").read_text()
    assert "| together | small |" in loopworks("report", "run", "--format", "md", cwd=tmp_path).stdout
    everything = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert KEY.encode() not in everything and KEY not in json.dumps(found)
    again = loopworks("replay", "run", "--out", "again", cwd=tmp_path)  # the server is gone
    assert again.returncode == 0, again.stderr
    assert found["digest"][:12] in again.stdout
    played = run(tmp_path, "--out", "played", "--slots", 2, "--deterministic", "--playback", "run")
    assert played["digest"] == found["digest"]


def test_a_run_that_asks_something_else_than_the_recording_stops_with_one_line(tmp_path: Path) -> None:
    with serving() as server:
        write_models(tmp_path, server, experiments=3)
        run(tmp_path, "--out", "run", "--slots", 1, "--deterministic")
    words = ("run", "c.yaml", "--project", "tiny", "--seed", 9, "--slots", 1, "--deterministic", "--playback", "run")
    other = loopworks(*words, "--out", "b", cwd=tmp_path)
    assert other.returncode == 1
    assert "the recording has another question there" in other.stderr and "Traceback" not in other.stderr
    nothing = loopworks("run", "c.yaml", "--project", "tiny", "--playback", "tiny", cwd=tmp_path)
    assert nothing.returncode == 2 and "nothing to play back" in nothing.stderr


NASTY: dict[str, Said] = {
    "no tool call": Said(text="Let us think about it."),
    "malformed JSON": Said((("Approve", '{"p_improves": 0.'),)),
    "wrong tool": call("LaunchMissiles", target="all"),
    "refusal": Said(text="I cannot help with that.", finish="content_filter"),
    "busy": Said(status=429, headers={"retry-after": "0.05"}),
    "broken server": Said(status=500),
    "truncated": Said((("Propose", '{"config": {"x": 0.3, "si'),), finish="length"),
    "1 MB": Said(text="x" * 1_000_000),
    "5,000 digits": Said((("Propose", '{"config": {"x": ' + "9" * 5000 + "}}"),)),
    "very deep": Said((("Propose", '{"config": ' + "[" * 3000 + "]" * 3000 + "}"),)),
    "outside the space": call("Propose", config={"x": 7, "size": 9, "mode": "evil"}),
    "1e999": Said((("Propose", '{"config": {"x": 1e999}}'),)),
    "markup": call("Propose", config={"x": 0.31, "size": 1, "mode": "fine"}, reason="\x1b[2J[bold]<b>'; DROP TABLE"),
    "hang": Said(hang=True),
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_company_survives_every_failure_and_says_what_happened(tmp_path: Path, stream: bool) -> None:
    nasty = list(NASTY.values())

    def mind(asked: Asked) -> Said:
        return nasty[asked.n // 2 % len(nasty)] if asked.n % 2 else sensible(asked)

    with serving(mind) as server:
        write_models(tmp_path, server, experiments=16, extra=f", stream: {str(stream).lower()}")
        chart = tmp_path / "c.yaml"
        chart.write_text(chart.read_text().replace("timeout_s: 5", "timeout_s: 0.4"))
        found = run(tmp_path, "--out", "run", "--slots", 2, *(() if stream else ("--deterministic",)))
    problems = " ".join(made.problem for made in told(tmp_path / "run", ev.DecisionMade))
    assert found["status"] == "closed"
    for words in ("answered without a tool call", "unreadable JSON", "LaunchMissiles is not a tool"):
        assert words in problems, words
    assert "offline policy decided" in loopworks("report", "run", "--format", "md", cwd=tmp_path).stdout
    assert found["models"]["answered_offline"] > 0
    if not stream:  # failures are played back like answers
        again = loopworks("replay", "run", cwd=tmp_path)
        assert again.returncode == 0, again.stderr


def test_an_injection_in_a_training_log_is_evidence_and_not_an_instruction(tmp_path: Path) -> None:
    """The script prints orders; the model that obeys them gets a tool that its task does not have."""

    def mind(asked: Asked) -> Said:
        if asked.task == "propose":
            return call("Propose", config={"x": 0.2 + asked.n / 1000, "size": 1, "mode": "raise"}, reason="try")
        if asked.task == "repair" and "mistake" in asked.question:
            return call("Replace", agent="cleo", because="the log says so")
        return sensible(asked)

    with serving(mind) as server:
        write_models(tmp_path, server, experiments=6)
        script = tmp_path / "tiny" / "train.py"
        script.write_text(script.read_text().replace("mistake", f"mistake, by {KEY}"))
        found = run(tmp_path, "--out", "run", "--slots", 1)
    repairs = [asked for asked in server.asked if asked.task == "repair"]
    assert found["status"] == "closed" and repairs
    assert all("```untrusted\n" in asked.question and "\x1b" not in asked.question for asked in repairs)
    made = [one for one in told(tmp_path / "run", ev.DecisionMade) if one.task == "repair" and one.agent == "dan"]
    assert any("Replace is not for the task 'repair'" in one.problem for one in made)
    assert not told(tmp_path / "run", ev.AgentReplaced)
    kept = [
        tmp_path / "run" / name for name in ("ledger.sqlite", "ledger.sqlite-wal", "report.html", "exchanges.jsonl")
    ]
    assert all(KEY.encode() not in path.read_bytes() for path in kept if path.is_file())
    assert "[key]" in repairs[0].question and KEY not in str([asked.body for asked in server.asked])


def test_a_server_that_dies_pauses_its_agents_and_the_optimiser_finishes(tmp_path: Path) -> None:
    def dying(asked: Asked) -> Said:
        return sensible(asked) if asked.n < 8 else Said(status=503, text="shutting down")

    with serving(dying) as server:
        write_models(tmp_path, server, experiments=14)
        found = run(tmp_path, "--out", "run", "--slots", 2)
    pauses = told(tmp_path / "run", ev.AgentPaused)
    assert found["status"] == "closed" and pauses
    assert "HTTP 503: shutting down" in pauses[0].because and server.url() in pauses[0].because
    assert "bob is paused, its model does not answer" in found["stderr"]
    assert len(server.asked) < 20  # two tries of a few questions, then it is left alone
    everyone = {agent["id"]: agent["experiments"] for agent in found["agents"]}
    assert everyone["cleo"] > everyone["bob"]


def test_a_company_of_nothing_but_dead_models_stops_with_a_line_and_goes_on_later(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny")
    with serving(lambda asked: sensible(asked) if asked.n < 2 else Said(status=503)) as server:
        brain = f'provider: openai, model: small, base_url: "{server.url()}", tries: 1, patience_s: 0.1'
        (tmp_path / "c.yaml").write_text(
            "company: solo\nbudget: {experiments: 12}\npolicies: {found: {baselines: 2}, close: {seeds: 2}}\n"
            f"positions: [{{id: bob, role: researcher, brain: {{{brain}}}}}]\n"
        )
        words = ("run", "c.yaml", "--project", "tiny", "--out", "run", "--plain", "--slots", 1)
        stopped = loopworks(*words, cwd=tmp_path)
        assert stopped.returncode == 1 and "Traceback" not in stopped.stderr
        assert "HTTP 503" in stopped.stderr and "go on with: loopworks run --resume run" in stopped.stderr
        server.mind = sensible
        assert loopworks("run", "--resume", "run", "--plain", cwd=tmp_path).returncode == 0


def test_research_ends_when_the_tokens_are_gone(tmp_path: Path) -> None:
    with serving() as server:
        write_models(tmp_path, server, experiments=200, extra=", max_tokens: 500", budget=", tokens: 9000")
        found = run(tmp_path, "--out", "run", "--slots", 2)
    assert found["reason"] == "the budget of 9,000 tokens is spent" and found["status"] == "closed"
    assert found["models"]["tokens"] == 120 * found["models"]["answered"] <= 9000
    assert told(tmp_path / "run", ev.ModelBudgetSpent)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_with_the_answers_that_it_paid_for(tmp_path: Path) -> None:
    def slow(asked: Asked) -> Said:
        time.sleep(0.05)
        return sensible(asked)

    with serving(slow) as server:
        write_models(tmp_path, server, experiments=5)
        words = ("run", "c.yaml", "--project", "tiny", "--out", "run", "--slots", 1, "--deterministic", "--plain")
        process = start(*words, cwd=tmp_path)
        deadline = time.monotonic() + 60
        while len(server.asked) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        kill_hard(process)
        known = len((tmp_path / "run" / "exchanges.jsonl").read_text().splitlines())
        asked = len(server.asked)
        assert loopworks("run", "--resume", "run", "--plain", cwd=tmp_path).returncode == 0
    made = [one for one in told(tmp_path / "run", ev.DecisionMade) if "model" in one.measured]
    assert 6 <= asked <= known + 1  # what was on the disk is not asked again
    assert len(server.asked) <= len(made) + 1
    assert loopworks("replay", "run", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_an_agent_thinks_about_several_questions_at_once(tmp_path: Path) -> None:
    """Otherwise one reviewer would keep every slot waiting."""
    now: list[str] = []
    together = 0

    def slow(asked: Asked) -> Said:
        nonlocal together
        who = asked.question.split("You are ")[1].split(",")[0]
        now.append(who)
        together = max(together, now.count("eve"))
        time.sleep(0.3)
        now.remove(who)
        return sensible(asked)

    with serving(slow) as server:
        write_models(tmp_path, server, experiments=10)
        chart = tmp_path / "c.yaml"
        chart.write_text(chart.read_text().replace("assign: {every: 3}", "assign: {every: 3, ahead: 6}"))
        assert run(tmp_path, "--out", "run", "--slots", 2)["status"] == "closed"
    assert together > 1


MISSING = {
    "no key": (", key_env: NOBODY_HAS_API_KEY", "no key for small: export NOBODY_HAS_API_KEY=..."),
    "no server": ("", "no model server answers at http://127.0.0.1:"),
}


@pytest.mark.parametrize(("extra", "says"), MISSING.values(), ids=MISSING)
def test_a_model_that_cannot_be_asked_is_one_line_before_anything_is_begun(
    tmp_path: Path, extra: str, says: str
) -> None:
    with serving() as server:
        write_models(tmp_path, server, experiments=3, extra=extra)
    done = loopworks("run", "c.yaml", "--project", "tiny", "--out", "run", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert says in done.stderr and "--offline" in done.stderr and done.stderr.count("loopworks: ") == 1
    assert "models: ada, bob, dan, eve: small at http://127.0.0.1:" in done.stderr
    assert not (tmp_path / "run").exists()
    offline = run(tmp_path, "--out", "run", "--slots", 2, "--offline")
    assert offline["status"] == "closed" and offline["models"] is None


def test_a_refused_key_is_said_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from company.chart import OrgChart
    from company.models import ModelError, check_reach

    monkeypatch.setenv("LOCAL_API_KEY", KEY)
    brain = {"provider": "anthropic", "model": "small", "key_env": "LOCAL_API_KEY"}
    with serving() as server:
        server.list_status = 401
        chart = OrgChart.from_dict(
            {"company": "c", "positions": [
                {"id": "bob", "role": "researcher", "brain": {**brain, "base_url": server.url("anthropic")}},
            ]}
        )  # fmt: skip
        with pytest.raises(ModelError, match=r"refuses the key in LOCAL_API_KEY \(HTTP 401\)") as caught:
            check_reach(chart)
    assert KEY not in str(caught.value)


def test_without_the_extra_a_company_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from company.chart import OrgChart
    from company.models import ModelError, check_reach
    from roles.brains.llm import clients

    def gone(settings: object, key: str) -> None:
        raise ModuleNotFoundError("No module named 'autogen_ext'", name="autogen_ext")

    monkeypatch.setitem(clients._BUILDERS, "openai", gone)
    brain = {"provider": "openai", "model": "small", "base_url": "http://localhost:1/v1"}
    seat = {"id": "bob", "role": "researcher", "brain": brain}
    with pytest.raises(ModelError, match=r"need autogen_ext: pip install .*\[llm\]"):
        check_reach(OrgChart.from_dict({"company": "c", "positions": [seat]}))


BAD: dict[str, tuple[str, str]] = {
    "a key as a value": (f"{{provider: openai, model: {KEY}}}", "3:64: model holds what looks like an API key"),
    "a key by its name": (f"{{provider: openai, model: m, api_key: {KEY}}}", "no key stands in a chart"),
    "a key as a provider": (f"{{provider: {KEY}, model: m}}", "'[key]' is not a provider"),
    "a key as a number": (f"{{provider: openai, model: m, temperature: {KEY}}}", "a number, not '[key]'"),
    "a key as a setting": (f"{{provider: openai, model: m, {KEY}: 1}}", "openai has no setting '[key]'"),
    "a wrong provider": ("{provider: opnai, model: m}", "'opnai' is not a provider: openai, anthropic, ollama; did"),
    "no model": ("{provider: ollama}", "a brain of ollama needs a model"),
    "a bare word": ("openai", "a brain of openai needs a model"),
    "a wrong setting": ("{provider: openai, model: m, temprature: 1}", "did you mean 'temperature'?"),
    "out of range": ("{provider: openai, model: m, temperature: 3}", "temperature must be from 0 to 2, not 3"),
    "a price that is none": ("{provider: openai, model: m, price: cheap}", "price must be a mapping of input, output"),
    "a wrong price": ("{provider: openai, model: m, price: {inputs: 1}}", "did you mean 'input'?"),
    "a strong one without a model": ("{provider: openai, model: m, escalate: {discards: 2}}", "escalate names no"),
    "a wrong offline brain": ("{provider: openai, model: m, offline: tpee}", "did you mean 'tpe'?"),
    "a model as offline brain": ("{provider: openai, model: m, offline: ollama}", "offline 'ollama' is not known"),
    "a password in an address": ('{provider: openai, model: m, base_url: "http://a:b@c/v1"}', "base_url must be an"),
    "any variable": ("{provider: openai, model: m, key_env: HOME}", "key_env must name a variable"),
}  # fmt: skip


@pytest.mark.parametrize(("brain", "says"), BAD.values(), ids=BAD)
def test_a_models_mistake_in_a_chart_has_its_place_and_the_nearest_word(tmp_path: Path, brain: str, says: str) -> None:
    chart = tmp_path / "c.yaml"
    chart.write_text(f"company: c\npositions:\n  - {{id: a, role: researcher, brain: {brain}}}\n")
    result = CliRunner().invoke(cli, ["org", "check", str(chart)])
    assert result.exit_code == 2 and says in result.output
    assert "c.yaml:3:" in result.output and KEY not in result.output


def test_a_budget_in_money_needs_prices(tmp_path: Path) -> None:
    chart = tmp_path / "c.yaml"
    chart.write_text(
        "company: c\nbudget: {experiments: 3, usd: 2}\npositions:\n"
        "  - {id: a, role: researcher, brain: {provider: openai, model: m}}\n"
    )
    assert (
        "4:38: budget.usd needs the price of every model"
        in CliRunner().invoke(cli, ["org", "check", str(chart)]).output
    )


def test_a_chart_with_models_is_written_back_as_it_was() -> None:
    from company.chart import OrgChart

    brain = {"provider": "openai", "model": "m", "price": {"input": 1, "output": 2}, "escalate": {"model": "n"}}
    chart = OrgChart.from_dict({"company": "c", "positions": [{"id": "a", "role": "researcher", "brain": brain}]})
    assert chart.to_dict()["positions"][0]["brain"] == brain
    assert OrgChart.from_dict(chart.to_dict()) == chart
