"""Talent with records: what a candidate is expected to give, who is hired first, and files from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from company.appraisal import PRIOR_SD, Z, worths
from company.chart import OrgChart, Talent, TalentRecord
from company.chart_diff import diff_charts
from company.chart_nodes import MAX_BYTES
from company.chart_problems import ChartError
from company.chart_yaml import load_chart
from company.cli import loopworks as command
from company.staffing import candidate
from company.state import State
from company.talent import SHARED, expectation
from company.talent_export import talent_of
from company.talent_file import dump_talent, load_talent, parse_talent, with_talent
from tests.company.core_kit import chart_of, quiet
from tests.company.report_kit import record
from tests.support import loopworks, write_chart, write_project


def told(worth: float, sd: float = 0.3, project: str = "digits", n: int = 9) -> TalentRecord:
    return TalentRecord(project=project, n=n, worth=worth, low=worth - Z * sd, high=worth + Z * sd)


def known(*records: TalentRecord, brain: str = "gp") -> Talent:
    return Talent.model_validate({"role": "researcher", "brain": brain, "record": records})


def company(*talent: Talent, used: Mapping[int, int] | None = None) -> State:
    chart = chart_of().model_copy(update={"talent": talent})
    state = State()
    state.take_chart(chart)
    state.brief, state.talent_used = {"name": "digits"}, dict(used or {})
    return state


# what is expected


def test_no_record_is_ignorance() -> None:
    assert expectation(known(), "digits") == 0.0


def test_one_record_counts_in_full_at_home_and_by_the_shared_part_elsewhere() -> None:
    one = known(told(0.8))
    assert expectation(one, "digits") == pytest.approx(0.8)
    assert expectation(one, "byte_lm") == pytest.approx(SHARED * 0.8)


def test_two_records_of_a_project_add_up_with_the_prior_taken_out_once() -> None:
    prior, variance = 1 / PRIOR_SD**2, 0.3**2
    measurement = 1 / variance - prior  # the precision of each
    wanted = 2 * 0.8 / variance / (prior + 2 * measurement)
    found = expectation(known(told(0.8), told(0.8)), "digits")
    assert found == pytest.approx(wanted)
    assert 0.8 < found < 0.9


def test_records_elsewhere_and_here_are_the_conditional_mean_of_the_joint_normal() -> None:
    """Against the same model written as one multivariate normal: worths on three projects, four measurements."""
    import numpy as np

    prior = PRIOR_SD**2 * (SHARED * np.ones((3, 3)) + (1 - SHARED) * np.eye(3))
    seen = [(0, 0.7, 0.4), (1, -0.2, 0.3), (1, 0.5, 0.6), (2, 1.1, 0.5)]
    design = np.eye(3)[[project for project, _, _ in seen]]
    sd2 = np.array([sd**2 for _, _, sd in seen])
    noise = 1 / (1 / sd2 - 1 / PRIOR_SD**2)
    measured = np.array([worth for _, worth, _ in seen]) / sd2 * noise
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + np.diag(noise))
    someone = known(*(told(worth, sd, "abc"[project]) for project, worth, sd in seen))
    assert [expectation(someone, project) for project in "abc"] == pytest.approx((gain @ measured).tolist())


def test_an_interval_that_says_nothing_counts_for_next_to_nothing() -> None:
    assert abs(expectation(known(told(3.0, sd=60)), "digits")) < 0.01
    assert abs(expectation(known(told(3.0, sd=0)), "digits") - 3) < 0.01


def test_the_prior_is_what_the_appraisal_gives_to_someone_without_a_result() -> None:
    nobody = worths([], ["bob"])["bob"]
    assert (nobody.high - nobody.low) / 2 / Z == pytest.approx(PRIOR_SD, abs=0.005)


# who is hired first


def hires(*talent: Talent, used: Mapping[int, int] | None = None) -> Any:
    return candidate(company(*talent, used=used), "researcher")


def test_without_records_the_order_is_the_charts() -> None:
    pool = (known(brain="tpe"), known(brain="gp"))
    assert (hires(*pool).kind, hires(*pool).expectation) == ("tpe", 0.0)
    assert hires(*pool, used={0: 1}).kind == "gp"
    assert hires(*pool, used={0: 1, 1: 1}) is None


def test_who_is_expected_to_give_most_comes_first_and_who_is_known_to_be_bad_last() -> None:
    pool = (known(told(-0.5), brain="random"), known(brain="tpe"), known(told(0.4)), known(told(0.6, project="x")))
    order = []
    for _ in pool:
        hire = hires(*pool, used=dict.fromkeys(order, 1))
        order.append(hire.talent)
    assert order == [2, 3, 1, 0]
    assert hires(*pool).expectation == pytest.approx(0.4)


# talent files


def refused(text: str) -> list[str]:
    with pytest.raises(ChartError) as caught:
        parse_talent(text, "t.yaml")
    return str(caught.value).splitlines()


ONE = "talent:\n  - {role: researcher, record: [{project: digits, n: 3, worth: 1, low: 0, high: 2}]}\n"
BAD = [
    ("researcher,", "reseacher,", "t.yaml:2:12: role 'reseacher' is not a role; did you mean 'researcher'?"),
    ("worth: 1", "wroth: 1", "t.yaml:2:57: 'wroth' is not a setting of this record; did you mean 'worth'?"),
    ("worth: 1,", "", "t.yaml:2:33: 'worth' is missing in this record"),
    ("n: 3", "n: 0", "t.yaml:2:54: n must be at least 1, not 0"),
    ("high: 2", "high: .inf", "high must be"),
    ("high: 2", "high: 1.0e+300", "high must be at most 1000"),
    ("worth: 1", "worth: 3", "t.yaml:2:33: the worth of a record must lie between its low and its high"),
    ("project: digits", 'project: "\\e[2J"', "project has a control character"),
    ("project: digits", "project: ''", "project must not be empty"),
    ("[{project", "{project", "is not valid YAML"),
    ("talent:\n", "<<: x\ntalent:\n", "merge keys"),
    ("researcher,", "researcher, brain: !!python/object:os.system x,", "t.yaml:2:31: tags such as"),
    ("talent:", "company: x\ntalent:", "t.yaml:1:1: 'company' has no place in a talent file, which holds talent only"),
    ("talent:", "talents:", "t.yaml:1:1: a talent file is a mapping with the key talent, a list of candidates"),
    (ONE, "", "a talent file is a mapping with the key talent"),
    (ONE, "talent:\n", "talent must be a list, not empty"),
    (ONE, "[" * 900, "is nested too deeply"),
    (ONE, "x" * (MAX_BYTES + 1), "is larger than 256 KB"),
    (ONE, "a: &a [x]\nb: &b [*a,*a,*a,*a]\n" + "".join(
        f"{chr(99 + i)}: &{chr(99 + i)} [{','.join([f'*{chr(98 + i)}'] * 9)}]\n" for i in range(6)
    ) + "talent: *h\n", "is too large once its aliases are followed"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line"), BAD, ids=[line for _, _, line in BAD])
def test_a_bad_talent_file_is_refused_with_its_place(old: str, new: str, line: str) -> None:
    assert old in ONE
    lines = refused(ONE.replace(old, new))
    assert any(line in each for each in lines), lines
    assert all(each.startswith("t.yaml:") for each in lines)


def test_every_problem_comes_at_once() -> None:
    text = "talent:\n  - {role: reseacher}\n  - {role: researcher, brain: gpp}\n  - {role: researcher, count: 0}\n"
    assert [line.split(" ")[0] for line in refused(text)] == ["t.yaml:2:12:", "t.yaml:3:31:", "t.yaml:4:31:"]


LINES = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1, max_size=30)
BOUNDS = st.tuples(*[st.floats(-1000, 1000)] * 3).map(sorted)
RECORDS = st.builds(
    lambda project, n, three: TalentRecord(project=project, n=n, worth=three[1], low=three[0], high=three[2]),
    LINES, st.integers(1, 10**9), BOUNDS,
)  # fmt: skip
POOLS = st.lists(
    st.builds(
        lambda name, brain, records: Talent.model_validate(
            {"role": "researcher", "name": name, "brain": brain, "record": records}
        ),
        st.one_of(st.just(""), LINES),
        st.sampled_from(["gp", None, {"kind": "evolution", "start": 7, "step": 0.1 + 0.2}]),
        st.lists(RECORDS, max_size=3),
    ),
    max_size=3,
)


@quiet(100)
@given(POOLS)
def test_what_is_written_is_read_back_the_same(pool: list[Talent]) -> None:
    found = parse_talent(dump_talent(pool))
    assert found == tuple(pool)
    assert [expectation(each, "digits") for each in found] == [expectation(each, "digits") for each in pool]


def test_candidates_join_the_charts_pool_and_too_many_are_refused_in_one_line(tmp_path: Path) -> None:
    file, chart = tmp_path / "t.yaml", chart_of("turnaround")
    file.write_text(ONE)
    joined = with_talent(chart, file)
    assert joined.talent == (*chart.talent, *load_talent(file))
    assert OrgChart.from_dict(joined.to_dict()) == joined
    file.write_text("talent:\n" + "- {role: researcher}\n" * 999)
    with pytest.raises(ChartError, match="1000 at most") as caught:
        with_talent(chart, file)
    assert len(str(caught.value).splitlines()) == 1


def test_a_record_is_a_difference_between_two_charts() -> None:
    before, after = (chart_of().model_copy(update={"talent": (known(*r),)}) for r in ((), (told(0.4),)))
    assert any("+0.4" in str(change) and "on digits" in str(change) for change in diff_charts(before, after))


# from run to run


def roster(brains: Sequence[str], experiments: int, talent: Sequence[Talent] = (), rule: str = "never") -> OrgChart:
    seats = [{"id": f"r{i}", "role": "researcher", "reports_to": "ada", "brain": b} for i, b in enumerate(brains)]
    return OrgChart.from_dict(
        {
            "company": "test",
            "budget": {"experiments": experiments},
            "policies": {
                "found": {"baselines": 2}, "close": {"seeds": 2}, "assign": {"share": "equal"},
                "appraise": {"every": 4, "after": 1}, "replace": {"rule": rule, "coach_first": False},
            },
            "positions": [{"id": "ada", "role": "manager"}, *seats],
            "talent": [each.model_dump(mode="json", exclude_none=True) for each in talent],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three kinds of people on the planted project."""
    folder = tmp_path_factory.mktemp("earlier")
    record(folder / "one", roster(["random", "random", "tpe", "evolution"], 32))
    return folder


def test_a_run_is_exported_as_candidates_with_what_it_found_them_to_be_worth(earlier: Path) -> None:
    pool, notes = talent_of([earlier / "one"])
    assert notes == []
    by_kind = {each.effective_brain.kind: each for each in pool}
    assert list(by_kind) == ["random", "tpe", "evolution"]
    assert [len(each.record) for each in by_kind.values()] == [2, 1, 1]  # the same brain is the same candidate
    assert all(r.project == "planted" and r.low < r.worth < r.high for each in pool for r in each.record)
    assert expectation(by_kind["tpe"], "planted") > expectation(by_kind["random"], "planted")


def test_runs_add_up_and_the_same_history_counts_once(earlier: Path) -> None:
    record(earlier / "two", roster(["random", "gp"], 8), seed=1)
    record(earlier / "copy", roster(["random", "gp"], 8), seed=1)
    pool, notes = talent_of([earlier / name for name in ("one", "two", "copy", "one")])
    assert {each.effective_brain.kind: len(each.record) for each in pool} == {
        "random": 3, "tpe": 1, "evolution": 1, "gp": 1,
    }  # fmt: skip
    assert len(notes) == 2 and all("counted once" in note for note in notes)


def test_who_did_nothing_has_no_record(tmp_path: Path) -> None:
    record(tmp_path / "run", roster(["random", "gp"], 8), most=3)
    assert talent_of([tmp_path / "run"]) == ((), [])


def test_a_name_from_the_pool_stays_with_a_candidate(tmp_path: Path) -> None:
    named = known(brain="tpe").model_copy(update={"name": "Tess, [bold]yes[/] #1"})
    record(tmp_path / "run", roster(["random", "random"], 24, [named], rule="bottom"))
    (found,) = (each for each in talent_of([tmp_path / "run"])[0] if each.effective_brain.kind == "tpe")
    assert found.name == named.name
    assert parse_talent(dump_talent([found])) == (found,)


def test_the_next_company_keeps_the_records_and_hires_the_better_one_first(earlier: Path, tmp_path: Path) -> None:
    pool, _ = talent_of([earlier / "one"])
    file = tmp_path / "talent.yaml"
    file.write_text(dump_talent(sorted(pool, key=lambda each: expectation(each, "planted"))))  # the best comes last
    chart = with_talent(roster(["random", "random"], 16, [known(brain="hillclimb")], rule="bottom"), file)
    state = record(tmp_path / "next", chart)
    hired = [agent.brain.kind for agent in state.agents.values() if agent.position == "r0" or agent.position == "r1"][
        2:
    ]
    best = max(pool, key=lambda each: expectation(each, "planted"))
    assert hired[0] == best.effective_brain.kind != "hillclimb"
    assert state.chart.talent == chart.talent


# the commands


def call(*words: object) -> Result:
    result = CliRunner().invoke(command, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command_prints_a_file_and_says_what_it_left_out(earlier: Path, tmp_path: Path) -> None:
    done = call("org", "talent", earlier / "one", earlier / "one")
    assert done.exit_code == 0
    assert parse_talent(done.stdout) == talent_of([earlier / "one"])[0]
    assert done.stdout.startswith("# ") and "counted once" in done.stderr
    nothing = call("org", "talent", tmp_path / "nothing\x1b[2J")
    assert nothing.exit_code == 2 and nothing.stdout == ""
    assert len(nothing.stderr.splitlines()) == 1 and "\x1b" not in nothing.stderr


@pytest.mark.parametrize("text", ["talent: [{role: reseacher}]", "\x00", "talent: &a [*a]", "talents: []", b"\xff\xfe"])
def test_a_run_refuses_a_bad_talent_file_before_it_founds_anything(text: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = call("run", "solo", "--project", "digits", "--out", tmp_path / "run", "--talent", file)
    assert done.exit_code == 2 and str(file) in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_takes_no_talent_file(tmp_path: Path) -> None:
    done = call("run", "--resume", tmp_path, "--talent", tmp_path / "t.yaml")
    assert done.exit_code == 2 and "leave --talent away" in done.stderr


def test_a_real_run_keeps_the_talent_file_and_is_exported(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", step=0.0005)
    write_chart(tmp_path / "chart.yaml", brain="tpe", experiments=6)
    (tmp_path / "t.yaml").write_text(ONE)
    words = ("run", "chart.yaml", "--project", "tiny", "--talent", "t.yaml", "--out", "one", "--engine", "direct")
    done = loopworks(*words, "--slots", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_chart(tmp_path / "one" / "chart.yaml").talent == load_talent(tmp_path / "t.yaml")
    pool = parse_talent(loopworks("org", "talent", "one", cwd=tmp_path).stdout)
    assert [(each.effective_brain.kind, each.record[0].project) for each in pool] == [("tpe", "tiny")]
