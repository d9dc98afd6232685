"""The paths over many agents and companies at once take the same steps as agents who act one by one.

The plain versions below let everyone have its turn on the company's event queue: all look before anyone moves. They
share nothing with the fast ones but what is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from company import knowledge, search
from company.event_queue import EventQueue
from company.knowledge import Knowledge, Rates
from company.landscapes import Landscape, draw
from company.search import Policy, Sight
from company.validation.networks import matrix, sight
from company.validation.zollman import learn

LOOK, MOVE = 0, 1  # priorities


def in_turns(people: int, look: Callable[[int], int], move: Callable[[int, int], None]) -> None:
    """One round on the event queue: everyone looks, then everyone moves to where it decided to."""
    queue = EventQueue[tuple[int, int]]()
    for who in range(people):
        queue.push(1.0, (who, -1), LOOK)
    while queue:
        at, (who, decided) = queue.pop()
        if decided < 0:
            queue.push(at, (who, look(who)), MOVE)
        else:
            move(who, decided)


def choice(landscape: Landscape, stand: list[int], who: int, policy: Policy, others: list[int], ties: list[float], bit: int) -> int:  # noqa: E501  # fmt: skip
    """Where one agent goes: it knows where those it looks at stand, and can have a point evaluated."""

    def worth(point: int) -> float:
        return float(landscape.fitness(np.array(point)))

    own, options = stand[who], [stand[other] for other in others]
    if policy.learning == "best":
        offered = max(options, key=worth)
    else:
        count = Counter(options)
        offered = options[max(range(len(options)), key=lambda i: count[options[i]] + ties[i])]
        offered = offered if count[offered] > 1 else own
    if worth(offered) > worth(own):
        return offered
    tried = own ^ (1 << bit)
    return tried if worth(tried) > worth(own) else own


@pytest.mark.parametrize("network", ["complete", "lattice", "line", "solo", "wheel"])
@pytest.mark.parametrize("policy", [Policy(), Policy("best", 3), Policy("conformity", 3), Policy("conformity", 9)])
def test_search_takes_the_steps_of_agents_one_by_one(network: str, policy: Policy) -> None:
    people, bits, rng = 21, 6, np.random.default_rng(5)
    landscapes = [draw(bits, 3, rng, "any", decimals=1) for _ in range(3)]
    values, seen = np.array([each.values() for each in landscapes]), sight(people, network)
    points = rng.integers(0, 2**bits, (3, people))
    moved = 0
    for _ in range(8):
        luck = search.luck(3, people, bits, policy, seen, rng)
        after = search.step(values, points, policy, seen, luck)
        for company, landscape in enumerate(landscapes):
            expected = _round(landscape, points[company].tolist(), policy, seen, luck, company)
            assert after[company].tolist() == expected
        moved += int((after != points).sum())
        points = after
    assert moved > 20


def _round(landscape: Landscape, stand: list[int], policy: Policy, seen: Sight, luck: search.Luck, n: int) -> list[int]:
    looked = seen.seen.T if luck.samples is None else search.sampled(seen, luck.samples)[:, n]
    ties = np.zeros(looked.shape) if luck.ties is None else luck.ties[:, n]
    after = list(stand)
    in_turns(
        len(stand),
        lambda who: choice(
            landscape, stand, who, policy, looked[:, who].tolist(), ties[:, who].tolist(), int(luck.bits[n, who])
        ),
        after.__setitem__,
    )
    return after


def test_who_has_settled_never_moves_again() -> None:
    rng, seen = np.random.default_rng(2), sight(20, "complete")
    values = np.array([draw(6, 3, rng).values() for _ in range(10)])
    start = rng.integers(0, 64, (10, 20))
    *_, last = search.rounds(values, start, Policy(), seen, rng, 60)
    assert search.settled(values, last).all()
    assert (search.step(values, last, Policy(), seen, search.luck(10, 20, 6, Policy(), seen, rng)) == last).all()


@pytest.mark.parametrize("network", ["complete", "lattice", "line"])
def test_a_sample_is_of_different_people_whom_one_sees_all_equally_often(network: str) -> None:
    people, size, seen = 25, 4, sight(25, network)
    who = search.sampled(seen, np.random.default_rng(0).random((size, 3000, people)))
    for i in range(people):
        allowed = set(seen.seen[i, : seen.counts[i]].tolist())
        samples = who[:, :, i].T
        expected = min(size, len(allowed))
        assert all(len(set(row) - {i}) == expected and set(row) <= allowed | {i} for row in samples.tolist())
        times = np.bincount(samples[samples != i], minlength=people)[sorted(allowed)]
        assert times == pytest.approx(3000 * expected / len(allowed), rel=0.2)


def plain_period(world: Knowledge, rates: Rates, luck: knowledge.Luck, n: int) -> tuple[list[int], list[list[int]]]:
    """Playbook and beliefs of company n after a period, person by person and dimension by dimension."""
    people, m, _ = world.beliefs.shape
    reality = [int(x) for x in world.reality[:, n]]
    playbook = [int(x) for x in world.playbook[:, n]]
    beliefs = [[int(x) for x in person[:, n]] for person in world.beliefs]
    for i in range(people):
        if luck.leavers is not None and luck.newcomers is not None and luck.leavers[i, n]:
            beliefs[i] = [int(x) for x in luck.newcomers[i, :, n]]
    for j in range(m):
        if luck.turns is not None and luck.turns[j, n]:
            reality[j] = -reality[j]
    score = sum(c * r for c, r in zip(playbook, reality, strict=True))
    ballots: list[list[int]] = []
    for i in range(people):
        acts = [belief or int(luck.coins[i, j, n]) for j, belief in enumerate(beliefs[i])]
        if sum(a * r for a, r in zip(acts, reality, strict=True)) > score:
            ballots.append(acts)
    learned = list(playbook)
    for j in range(m):
        votes = sum(acts[j] for acts in ballots)
        if votes and luck.learns[j, n] < 1 - (1 - rates.learning) ** abs(votes):
            learned[j] = 1 if votes > 0 else -1
    for i in range(people):
        for j in range(m):
            if luck.takes_over[i, j, n] and playbook[j] and beliefs[i][j] != playbook[j]:
                beliefs[i][j] += 1 if playbook[j] > beliefs[i][j] else -1
    return learned, beliefs


@pytest.mark.parametrize("rates", [Rates(0.3, 0.5), Rates(0.7, 0.1, 0.2), Rates(0.5, 0.9, 0.1, 0.1)])
def test_knowledge_takes_the_steps_of_people_one_by_one(rates: Rates) -> None:
    rng = np.random.default_rng(4)
    world = knowledge.found(8, 7, 3, rng)
    for _ in range(15):
        luck = knowledge.luck(world, rates, rng)
        after = knowledge.step(world, rates, luck)
        for n in range(3):
            playbook, beliefs = plain_period(world, rates, luck, n)
            assert after.playbook[:, n].tolist() == playbook
            assert after.beliefs[:, :, n].tolist() == beliefs
        world = after
    assert abs(world.playbook).sum() > 0


@pytest.mark.parametrize("network", ["complete", "wheel", "ring", "lattice"])
def test_credences_move_as_bayes_says_one_by_one(network: str) -> None:
    people, pulls, eps, rng = 24, 10, 0.02, np.random.default_rng(3)
    sees, odds = matrix(people, network), rng.normal(size=(2, people))
    wins = rng.binomial(pulls, 0.5 + eps, (2, people))
    after = learn(odds, wins, pulls, eps, sees)
    for n in range(2):
        for i in range(people):
            credence = 1 / (1 + np.exp(-odds[n, i]))
            for j in range(people):
                if (sees[i, j] or i == j) and odds[n, j] > 0:
                    k = int(wins[n, j])
                    better = (0.5 + eps) ** k * (0.5 - eps) ** (pulls - k)
                    worse = (0.5 - eps) ** k * (0.5 + eps) ** (pulls - k)
                    credence = credence * better / (credence * better + (1 - credence) * worse)
            assert 1 / (1 + np.exp(-after[n, i])) == pytest.approx(credence)
