"""Review rules decide as screening theory says, as early as they can, and never twice."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company.policies import ReviewRule
from company.review import decide, who_reviews

NAMES = [f"r{index}" for index in range(5)]
MAJORITIES = ReviewRule.model_validate(
    {"rule": "2-of-3", "of": [{"rule": "2-of-3", "of": [f"{t}{i}" for i in "abc"]} for t in "xyz"]}
)


def passing(rule: ReviewRule | str, reviewers: tuple[str, ...], p: float) -> float:
    """The exact probability that a proposal passes when each reviewer passes it with probability p."""
    total = 0.0
    for votes in product((True, False), repeat=len(reviewers)):
        if decide(rule, dict(zip(reviewers, votes, strict=True)), reviewers):
            total += p ** sum(votes) * (1 - p) ** (len(votes) - sum(votes))
    return total


@pytest.mark.parametrize(
    ("rule", "reviewers", "good", "bad"),
    [
        ("single", 1, 0.8, 0.3),
        ("all", 2, 0.64, 0.09),
        ("any", 2, 0.96, 0.51),
        ("2-of-3", 3, 0.896, 0.216),
        ("3-of-5", 5, 0.942, 0.163),
    ],
)
def test_rules_are_screening_structures(rule: str, reviewers: int, good: float, bad: float) -> None:
    """Sah & Stiglitz (1986), with g = .8 and b = .3."""
    names = tuple(NAMES[:reviewers])
    assert passing(rule, names, 0.8) == pytest.approx(good, abs=5e-4)
    assert passing(rule, names, 0.3) == pytest.approx(bad, abs=5e-4)


def test_a_majority_of_majorities_composes() -> None:
    names = who_reviews(MAJORITIES, (), 0)
    assert len(names) == 9
    assert passing(MAJORITIES, names, 0.8) == pytest.approx(0.970, abs=5e-4)
    assert passing(MAJORITIES, names, 0.3) == pytest.approx(0.120, abs=5e-4)


@given(st.integers(1, 5), st.integers(1, 5), st.floats(0, 1))
def test_k_of_n_is_a_binomial_tail(k: int, n: int, p: float) -> None:
    k, n = min(k, n), max(k, n)
    tail = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
    assert passing(f"{k}-of-{n}", tuple(NAMES[:n]), p) == pytest.approx(tail)


def test_single_takes_turns() -> None:
    assert [who_reviews("single", ["a", "b", "c"], turn) for turn in range(4)] == [("a",), ("b",), ("c",), ("a",)]


def test_a_rule_that_asks_fewer_than_there_are_shares_the_work() -> None:
    asked = [who_reviews("1-of-2", ["a", "b", "c"], turn) for turn in range(3)]
    assert asked == [("a", "b"), ("c", "a"), ("b", "c")]


def test_with_nobody_to_ask_a_proposal_passes() -> None:
    assert who_reviews("all", (), 3) == ()
    assert decide("all", {}, ()) is True


def test_a_rule_that_wants_more_than_are_left_takes_all_of_them() -> None:
    assert decide("2-of-3", {"a": True}, ("a",)) is True


def test_only_those_asked_are_heard() -> None:
    assert decide("single", {"b": True}, ("a",)) is None


rules = st.recursive(
    st.builds(lambda of: {"rule": "all", "of": of}, st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)),
    lambda inner: st.builds(
        lambda rule, of: {"rule": rule, "of": of},
        st.sampled_from(["all", "any", "single", "1-of-2", "2-of-3"]),
        st.lists(st.one_of(st.sampled_from(NAMES), inner), min_size=1, max_size=4),
    ),
    max_leaves=8,
).map(ReviewRule.model_validate)


@given(rules, st.integers(0, 20), st.permutations(NAMES), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_decision_stands_once_made_and_all_votes_always_settle_it(
    rule: ReviewRule, turn: int, order: list[str], votes: list[bool]
) -> None:
    asked = who_reviews(rule, (), turn)
    assert asked and len(set(asked)) == len(asked)
    final = decide(rule, dict(zip(NAMES, votes, strict=True)), asked)
    assert final is not None
    seen: dict[str, bool] = {}
    for name in order:
        seen[name] = votes[NAMES.index(name)]
        assert decide(rule, seen, asked) in (None, final)


@given(rules, st.integers(0, 20), st.lists(st.booleans(), min_size=5, max_size=5), st.sampled_from(NAMES))
def test_an_approval_never_turns_a_pass_into_a_refusal(
    rule: ReviewRule, turn: int, votes: list[bool], name: str
) -> None:
    asked = who_reviews(rule, (), turn)
    before = dict(zip(NAMES, votes, strict=True))
    assert decide(rule, {**before, name: True}, asked) >= decide(rule, {**before, name: False}, asked)  # pyright: ignore[reportOptionalOperand]
    assert decide(rule, before, asked) is not None


def flat(rule: str, size: int) -> tuple[ReviewRule, tuple[str, ...]]:
    return ReviewRule(rule=rule), tuple(NAMES[:size])


@pytest.mark.parametrize(("rule", "size"), [("all", 3), ("any", 3), ("2-of-3", 3), ("3-of-5", 5)])
def test_it_settles_exactly_when_the_open_votes_no_longer_matter(rule: str, size: int) -> None:
    parsed, names = flat(rule, size)
    for votes in product((True, False, None), repeat=size):
        known = {name: vote for name, vote in zip(names, votes, strict=True) if vote is not None}
        open_names = [name for name in names if name not in known]
        ends = {
            decide(parsed, {**known, **dict(zip(open_names, rest, strict=True))}, names)
            for rest in product((True, False), repeat=len(open_names))
        }
        assert decide(parsed, known, names) == (ends.pop() if len(ends) == 1 else None)
