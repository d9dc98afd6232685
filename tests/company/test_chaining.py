"""Canonical text and the chain: one value has one text, and what is no JSON never gets into a ledger."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import events as ev
from company.chaining import canonical, chained, payload, restore

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]


@given(VALUES)
def test_canonical_text_is_the_value_itself_and_does_not_depend_on_the_order_of_keys(value: object) -> None:
    text = canonical(value)
    assert repr(json.loads(text)) == repr(json.loads(json.dumps(value, sort_keys=True)))
    assert canonical(json.loads(text)) == text == canonical(_turned(value))


def _turned(value: object) -> object:
    """The same value with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_no_number_is_refused_wherever_it_is(wrong: float) -> None:
    for value in (wrong, [wrong], {"a": None, "b": {"c": [1, wrong]}}, {"null": None, "x": wrong}):
        with pytest.raises(ValueError, match="not JSON compliant"):
            canonical(value)


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_a_fact_with_what_is_no_number_is_not_chained(wrong: float) -> None:
    bare = ev.ExperimentFinished("e0001", "ok", wrong, None, "", 2.0, [])
    hidden = ev.ExperimentFinished("e0001", "failed", None, None, "", 2.0, [[0.25, wrong]])
    for event in (bare, hidden):
        with pytest.raises(ValueError, match="not JSON compliant"):
            chained("", [(1.0, event)])


def test_the_chain_is_sha256_over_the_digest_before_the_time_the_kind_and_the_text() -> None:
    event = ev.RungReached("e0001", 0, 40, 1e-05)
    body = f'{{"experiment":"e0001","loss":{canonical(1e-05)},"rung":0,"step":40}}'
    assert chained("before", [(2.5, event)]) == hashlib.sha256(f"before\n2.5\nRungReached\n{body}".encode()).hexdigest()


@pytest.mark.parametrize("seed", [2**63, 2**64, -(2**70)])
def test_whole_numbers_of_any_size_have_a_text(seed: int) -> None:
    assert canonical({"seed": seed}) == f'{{"seed":{seed}}}'


def test_a_fact_of_one_field_comes_back() -> None:
    event = ev.RunPaused("person")
    assert payload(event) == {"by": "person"}
    assert restore("RunPaused", json.loads(canonical(payload(event)))) == event
