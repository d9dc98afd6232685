"""Search spaces: what is remembered of them is what would be worked out anew."""

from __future__ import annotations

import pickle

import numpy as np

from projects.brief import space_of
from projects.spec import REMEMBERED, Parameter, SearchSpace

PARAMETERS = (
    Parameter("rate", "float", 1e-5, 1e-1, log=True),
    Parameter("depth", "int", 1, 8),
    Parameter("norm", "choice", values=("none", "layer")),
    Parameter("width", "choice", values=(32, 64, 128)),
)


def test_a_point_is_the_same_when_it_is_asked_for_again_and_after_many_others() -> None:
    space, draws = SearchSpace(PARAMETERS), np.random.default_rng(3)
    configs = [space.sample(draws) for _ in range(50)]
    first = [space.encode(config) for config in configs]
    again = [space.encode(config) for config in configs]
    for _ in range(REMEMBERED):
        space.encode(space.sample(draws))
    anew = [tuple(p.encode(config[p.name]) for p in PARAMETERS) for config in configs]
    assert first == again == anew == [space.encode(config) for config in configs]


def test_a_space_with_what_it_remembers_can_be_sent_to_another_process() -> None:
    space = SearchSpace(PARAMETERS)
    config = space.sample(np.random.default_rng(0))
    point = space.encode(config)
    assert pickle.loads(pickle.dumps(space)).encode(config) == point


def test_a_space_that_was_written_down_knows_true_from_one() -> None:
    flags, numbers = (
        space_of({"space": [{"name": "bias", "kind": "choice", "values": values}]})
        for values in ([True, False], [1, 0])
    )
    assert flags.check({"bias": True}) == [] != flags.check({"bias": 1})
    assert numbers.check({"bias": 1}) == [] != numbers.check({"bias": True})
