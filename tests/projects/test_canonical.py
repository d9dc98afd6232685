"""Canonical JSON: what is hashed is what the standard library would write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.canonical import canonical_encoder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_it_writes_what_the_standard_library_writes(value: object, ensure_ascii: bool) -> None:
    ours = canonical_encoder(ensure_ascii=ensure_ascii, allow_nan=False)(value)
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ensure_ascii, allow_nan=False)
    assert ours == plain


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1, {"a": float("-inf")}]])
def test_what_is_no_number_is_refused_where_it_is_not_allowed(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_encoder(ensure_ascii=False, allow_nan=False)(value)
    assert canonical_encoder(ensure_ascii=False, allow_nan=True)(value)


def test_the_same_without_the_c_part(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"b": [1.5, "é\n"], "a": None}
    fast = canonical_encoder(ensure_ascii=False, allow_nan=False)(value)
    monkeypatch.setattr("json.encoder.c_make_encoder", None)
    assert canonical_encoder(ensure_ascii=False, allow_nan=False)(value) == fast == '{"a":null,"b":[1.5,"é\\n"]}'
