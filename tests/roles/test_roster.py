"""What holds of every role: it decides only what its tasks allow, and has duties and a prompt to show."""

from __future__ import annotations

import pytest
from role_world import BASELINE, champion, observe, report, result, subject

from roles.intents import ROLE_OF_TASK, intents_for
from roles.role import Brain
from roles.roster import ROLES


@pytest.mark.parametrize(("task", "role"), ROLE_OF_TASK.items())
def test_intents_are_of_the_kinds_that_the_task_allows(task: str, role: str) -> None:
    seen = observe(
        task, role=role, champion=champion(), history=[result(0, BASELINE, 1.0)],
        subject=subject({**BASELINE, "depth": 5}, loss=0.5, failure="crash"), reports=(report("bob"),),
    )  # fmt: skip
    decided = ROLES[role].policy(seen, Brain(ROLES[role].default_brain))
    assert decided
    assert all(isinstance(intent, intents_for(task)) for intent in decided)
    assert task in ROLES[role].tasks


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_a_role_can_be_shown_to_a_person_and_to_a_model(role) -> None:
    assert role.duties.endswith(".") and role.duties.count(".") == 1
    allowed = {intent.kind() for task in role.tasks for intent in intents_for(task)}
    assert all(f"`{name}" in role.prompt for name in allowed)
