"""The event queue hands items out by time, then priority, then in the order in which they came."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company.event_queue import EventQueue


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2))))
def test_items_come_out_by_time_then_priority_then_first_in_first_out(events: list[tuple[int, int]]) -> None:
    queue = EventQueue[int]()
    for n, (at, priority) in enumerate(events):
        queue.push(at, n, priority)
    popped = [queue.pop() for _ in range(len(queue))]
    expected = sorted(range(len(events)), key=lambda n: (*events[n], n))
    assert popped == [(events[n][0], n) for n in expected]


def test_items_are_never_compared() -> None:
    queue = EventQueue[object]()
    first, second = object(), object()
    queue.push(1.0, first)
    queue.push(1.0, second)
    assert [queue.pop()[1], queue.pop()[1]] == [first, second]


def test_what_is_pushed_while_it_runs_takes_its_place() -> None:
    queue = EventQueue[str]()
    queue.push(1.0, "a")
    queue.push(3.0, "c")
    assert queue.pop() == (1.0, "a")
    queue.push(2.0, "b")
    assert (len(queue), bool(queue)) == (2, True)
    assert [queue.pop()[1], queue.pop()[1]] == ["b", "c"]
    assert not queue


def test_an_empty_queue_and_a_time_that_is_no_number_are_errors() -> None:
    queue = EventQueue[str]()
    with pytest.raises(IndexError, match="empty"):
        queue.pop()
    with pytest.raises(ValueError, match="nan"):
        queue.push(math.nan, "never")
