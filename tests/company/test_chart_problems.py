"""Every way a chart can be wrong gives a line that says where, what and the nearest right word."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from company.chart_nodes import MAX_BYTES
from company.chart_problems import ChartError
from company.chart_yaml import CHARTS, load_chart, parse_chart, shipped_charts

GOOD = """\
company: test
positions:
  - {id: ada, role: manager}
  - {id: bob, role: researcher, reports_to: ada}
  - {id: eve, role: reviewer, reports_to: ada}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ChartError) as caught:
        parse_chart(text, "c.yaml")
    return str(caught.value).splitlines()


def swapped(old: str, new: str) -> list[str]:
    assert old in GOOD
    return problems(GOOD.replace(old, new))


def test_the_good_chart_is_good() -> None:
    assert parse_chart(GOOD).company == "test"


IN_PLACE = [
    ("researcher,", "reseacher,", "c.yaml:4:21: role 'reseacher' is not a role; did you mean 'researcher'?"),
    ("company: test", "company: 3", "c.yaml:1:10: company must be text, not the number 3"),
    ("company: test\n", "", "c.yaml:1:1: 'company' is missing in a chart"),
    ("company", "compny", "c.yaml:1:1: 'compny' is not a setting of a chart; did you mean 'company'?"),
    ("{id: ada,", "{id: Ada!,", "c.yaml:3:10: 'Ada!' is not an id"),
    ("{id: eve, ", "{", "c.yaml:5:5: 'id' is missing in this position"),
    ("id: eve", "id: bob", "c.yaml:5:10: the id 'bob' is used twice (first by position 2)"),
    ("id: eve", "id: bob_2", "c.yaml:5:10: the id 'bob_2' is what the next agent at 'bob' would be called"),
    ("id: eve", "id: eve, id: fay", "c.yaml:5:15: the key 'id' is there twice (first at line 5)"),
    ("reports_to: ada}\n  - {id: eve", "reports_to: adda}\n  - {id: eve", "no position has the id 'adda'; did you"),
    ("reviewer, reports_to: ada", "reviewer, reports_to: bob", "'bob' is a researcher; only a manager has reports"),
    ("role: manager}", "role: manager, reports_to: ada}", "c.yaml:3:42: 'ada' ends up reporting to itself: ada -> ada"),
    ("role: manager}", "role: manager, reports_to: ada}", "c.yaml:2:1: there is no root"),
    ("role: manager}", "role: manager, reports_to: ada}", "c.yaml:4:45: 'bob' is not reached from the root"),
    ("reviewer, reports_to: ada", "reviewer", "c.yaml:5:5: a second root: 'eve' reports to nobody, and so does 'ada'"),
    ("manager", "engineer", "c.yaml:3:21: the root of a company of several must be a manager, not an engineer"),
    ("researcher,", "engineer,", "c.yaml:2:1: there is no researcher"),
    ("reviewer,", "reviewer, brain: tpe,", "c.yaml:5:38: brain 'tpe' is for a researcher, not for a reviewer"),
    ("researcher,", "researcher, brain: policy,", "brain 'policy' is for a manager, not for a researcher"),
    ("researcher,", "researcher, brain: tpee,", "is not known for a researcher (random, hillclimb, mutator, evolution"),
    ("researcher,", "researcher, brain: {kind: gp, caps: 3},", "c.yaml:4:51: brain 'gp' has no setting 'caps'"),
    ("researcher,", "researcher, brain: {kind: gp, cap: 1},", "c.yaml:4:56: cap must be from 10 to 1000, not 1"),
    ("researcher,", "researcher, brain: {kind: gp, cap: x},", "c.yaml:4:56: cap must be a number, not 'x'"),
    ("researcher,", "researcher, brain: {cap: 20},", "c.yaml:4:40: 'kind' is missing in brain"),
    ("researcher,", "researcher, brain: [tpe],", "c.yaml:4:40: brain must be a mapping, not a list"),
    ("researcher,", 'researcher, title: "a\\e[2J",', "c.yaml:4:40: title has a control character"),
    ("researcher,", 'researcher, title: "\\u202Eevil",', "title has a control character"),
]


@pytest.mark.parametrize(("old", "new", "line"), IN_PLACE)
def test_a_slip_is_named_where_it_is(old: str, new: str, line: str) -> None:
    assert any(line in problem for problem in swapped(old, new)), swapped(old, new)


ADDED = [
    ("budget: {experiments: 0}", "c.yaml:1:23: experiments must be at least 1, not 0"),
    ("budget: {experiments: '4'}", "experiments must be a whole number, not the text '4'"),
    ("budget: {experiments: 1.5}", "experiments must be a whole number, not the number 1.5"),
    ("budget: {slot_seconds: .nan}", "slot_seconds must be"),
    ("budget: {experiments: true}", "experiments must be a whole number, not true"),
    ("budget: {}", "the budget needs experiments or slot_seconds"),
    ("budget: {tokens: 5}", "the budget needs experiments or slot_seconds"),
    ("budget: 40", "budget must be a mapping, not the number 40"),
    ("budget: {experiments: " + "9" * 5000 + "}", "experiments must be"),
    ("communication: teem", "c.yaml:1:16: communication 'teem' is not one of"),
    ("communication: {edges: [[bob, evee]]}", "c.yaml:1:31: no position has the id 'evee'; did you mean 'eve'?"),
    ("communication: {edges: [[bob, bob]]}", "c.yaml:1:25: 'bob' is paired with itself"),
    ("communication: {edges: [[bob]]}", "c.yaml:1:25:"),
    ("communication: {}", "c.yaml:1:16: 'edges' is missing in communication"),
    ("policies: {reveiw: {rule: all}}", "'reveiw' is not a setting of policies; did you mean 'review'?"),
    ("policies: {accept: {pp: 3}}", "c.yaml:1:21: 'pp' is not a setting of accept"),
    ("policies: {review: {rule: most}}", "c.yaml:1:27: 'most' is not a review rule: single, all, any or k-of-n"),
    ("policies: {review: {rule: 3-of-2}}", "'3-of-2' asks for more approvals than there are votes"),
    ("policies: {review: {rule: 2-of-3}}", "c.yaml:1:27: 2-of-3 asks 3 reviewers, but researcher 'bob' has 1"),
    ("policies: {review: {rule: 2-of-3, of: [eve, eve]}}", "c.yaml:1:27: 2-of-3 asks 3, but `of` has 2"),
    ("policies: {review: {rule: all, of: [bob]}}", "c.yaml:1:37: 'bob' is a researcher, not a reviewer"),
    ("policies: {review: {rule: all, of: [evi]}}", "c.yaml:1:37: no position has the id 'evi'; did you mean 'eve'?"),
    ("policies: {review: {rule: all, of: [{rule: any}]}}", "c.yaml:1:37: a nested rule must say `of` whom"),
    ("policies: {accept: {p: 0.9}}", "c.yaml:1:24: p must be at most 0.5, not 0.9"),
    ("policies: {watch: {rungs: [0.5, 0.25]}}", "rungs must increase"),
    ("policies: {watch: {rungs: [1.5]}}", "rungs must be less than 1, not 1.5"),
    ("policies: {watch: {rungs: []}}", "rungs must not be empty"),
    ("policies: {replace: {below: low}}", "below 'low' is not one of replacement"),
    ("policies: {replace: {rule: allways}}", "rule 'allways' is not one of posterior, never, random, bottom"),
    ("policies: {replace: {coach_first: 1}}", "coach_first must be true or false, not the number 1"),
    ("talent: [{role: researcher, brain: gpp}]", "c.yaml:1:36: brain 'gpp' is not known for a researcher"),
    ("talent: {role: researcher}", "c.yaml:1:9: talent must be a list, not a mapping"),
    ("talent: [{role: researcher, count: 0}]", "count must be at least 1, not 0"),
    ("mission: !!python/object:os.system {}", "c.yaml:1:10: mission must be text, not a mapping"),
    ("mission: !!float y", "c.yaml:1:10: 'y' cannot be read as a number"),
    ("mission: !secret x", "tags such as '!secret' are not used in a chart"),
    ("? [a, b]\n: c", "a key must be a word"),
    ("<<: {company: x}", "merge keys (<<) are not supported in a chart"),
]


@pytest.mark.parametrize(("extra", "line"), ADDED, ids=[extra[:50] for extra, _ in ADDED])
def test_a_wrong_setting_is_named_where_it_is(extra: str, line: str) -> None:
    found = problems(f"{extra}\n{GOOD}")
    assert any(line in problem for problem in found), found


WHOLE = [
    ("", "c.yaml:1:1: a chart is a mapping with company and positions; this is empty"),
    ("# only a comment\n", "this is empty"),
    ("- a\n- b\n", "this is a list"),
    ("hello", "this is the text 'hello'"),
    ("a: 1\nb: 2\n", "c.yaml:1:1: this is not an org chart: it has neither company nor positions"),
    ("company: x\n", "'positions' is missing in a chart"),
    ("company: x\npositions: []\n", "c.yaml:2:12: positions must not be empty"),
    ("company: x\npositions: 3\n", "positions must be a list, not the number 3"),
    ("company: x\npositions: [3]\n", "c.yaml:2:13: positions must be a mapping, not the number 3"),
    ("company: x\n\tmission: y\n", "c.yaml:2:1: a tab indents this line"),
    ("company: [x\n", "is not valid YAML"),
    ("company: x\n---\ncompany: y\n", "is not valid YAML"),
    ("company: \x07\n", "c.yaml:1:10: there is a control character here"),
    ("[" * 5000, "nested too deeply"),
    ("a: &a [*a]", "c.yaml:1:"),
    ("company: x\npositions: &a [*a]", "an alias holds itself"),
    ("#" * (MAX_BYTES + 1), "too large for a chart"),
    ("company: x\npositions:\n- {id: a, role: engineer}", "there is no researcher"),
]


@pytest.mark.parametrize(("text", "line"), WHOLE, ids=[text[:30] for text, _ in WHOLE])
def test_a_file_that_is_no_chart_says_so(text: str, line: str) -> None:
    assert any(line in problem for problem in problems(text)), problems(text)


def test_aliases_that_multiply_are_stopped_early() -> None:
    layers = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "too large once its aliases are followed" in problems(f"l0: &l0 [x]\n{layers}")[0]


def test_all_problems_come_at_once_in_the_order_of_the_text() -> None:
    text = GOOD.replace("researcher", "resarcher").replace("id: eve", "id: bob").replace("test", "[]")
    found = problems(text + "budget: {tokens: -1}\ntalant: []\n")
    lines = [int(problem.split(":")[1]) for problem in found]
    assert lines == sorted(lines)
    assert len(found) == 6


def test_a_flood_of_problems_is_cut() -> None:
    found = problems(GOOD + "".join(f"x{n}: 1\n" for n in range(500)))
    assert len(found) == 101
    assert found[-1] == "c.yaml: and 400 more problems"


def test_cycles_are_told_once_each() -> None:
    seats = "".join(f"  - {{id: m{n}, role: manager, reports_to: m{(n + 1) % 4}}}\n" for n in range(4))
    found = [problem for problem in problems(GOOD + seats) if "itself" in problem]
    assert found == ["c.yaml:6:41: 'm0' ends up reporting to itself: m0 -> m1 -> m2 -> m3 -> m0"]


def test_files_that_cannot_be_read_say_why(tmp_path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"company: x\nmission: caf\xe9\n")
    with pytest.raises(ChartError, match=r"latin.yaml:2:13: is not UTF-8 text"):
        load_chart(latin)
    with pytest.raises(ChartError, match="is not a file"):
        load_chart(tmp_path)
    with pytest.raises(ChartError, match=r"no such chart; did you mean 'startup'\? Shipped: committee, flat"):
        load_chart("statup")
    with pytest.raises(ChartError, match="no such chart"):
        load_chart("a" * 5000)
    with pytest.raises(ChartError, match="no such chart"):
        load_chart("a\0b")


def test_a_shipped_chart_loads_by_name_and_by_path() -> None:
    for name in shipped_charts():
        assert load_chart(name) == load_chart(CHARTS / f"{name}.yaml")


snippets = st.sampled_from(
    ["{", "}", "[", "]", ":", "-", "\t", "\n", "\n  ", " ", "&a ", "*a", "!x ", "!", "%", "|", ">", "'", '"', "#", "?",
     "<<: ", "null", "~", "1e400", "0x", "0o9", "-.inf", "\x1b", "\ud800", "\ufeff", "é", "9" * 400, "id: ", "role: ",
     "tpe", "ada", "2001-01-01", "---\n", "...\n", "reports_to: bob", "{kind: gp}", "!!int x", "!!float y", "!!set {a}"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(shipped_charts()), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 30), snippets)))
@example("startup", [(0, 4000, "%")])
@example("startup", [(0, 4000, "!")])
@example("startup", [(0, 4000, "%YAML 9\n---")])
def test_random_edits_of_a_chart_raise_nothing_but_chart_errors(name: str, edits: list[tuple[int, int, str]]) -> None:
    text = (CHARTS / f"{name}.yaml").read_text(encoding="utf-8")
    for at, cut, put in edits:
        text = text[:at] + put + text[at + cut :]
    try:
        parse_chart(text)
    except ChartError as error:
        assert error.problems
        str(error).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_chart_errors(raw: bytes) -> None:
    from company.chart_nodes import decode

    with pytest.raises(ChartError):
        parse_chart(decode(raw, "x"), "x")
