"""Is the appraisal honest and worth having? People of planted worth, appraised and replaced by the real company."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from company.appraisal import difference
from company.validation import Finding, Stopwatch, mean_of, ratio_of
from company.validation.people import SPREAD, Company, chart, differing, nobody_differs, two_kinds, work
from company.worth import everyone

SEEDS, FULL_SEEDS = 200, 1000  # of the coverage
RULE_SEEDS, FULL_RULE_SEEDS = 200, 1000  # of each rule of replacing
ROSTERS = ((2, 40), (4, 60), (6, 80))  # researchers and experiments: few people, many, and in between
CONFIDENCES = (0.7, 0.8, 0.9)  # of the posterior rule; the shipped charts have 0.7
SELDOM = 30  # experiments before the only look of the `bottom` rule that posterior is compared with
RESAMPLES = 400

Counts = list[tuple[int, int, int, int]]  # a seed's: bad replaced, bad, good replaced, good


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """Coverage, replacements by rule, and fairness to identical people; about a minute, or five with `full`."""
    yield from _coverage(seed, FULL_SEEDS if full else SEEDS)
    yield from _replacements(seed, FULL_RULE_SEEDS if full else RULE_SEEDS)
    yield from _fairness(seed, FULL_SEEDS if full else SEEDS)


def _coverage(seed: int, seeds: int) -> Iterator[Finding]:
    watch = Stopwatch()
    rate, low, high = _covered(seed, seeds, SPREAD)
    passed = abs(rate - 0.9) <= 0.03
    yield Finding("90 % interval covers the worth", "0.90", "± 0.03", rate, low, high, passed, watch.lap())
    for spread, name in ((SPREAD / 2, "half"), (SPREAD * 2, "twice")):
        covered = _covered(seed, seeds // 3, spread)
        yield Finding(f"the same where people differ {name} as much", "", "", *covered, None, watch.lap())


def _covered(seed: int, seeds: int, spread: float) -> tuple[float, float, float]:
    hits, cases = [], []
    for n in range(seeds):
        researchers, experiments = ROSTERS[n % len(ROSTERS)]
        company = work(seed + n, chart(researchers, experiments, "posterior"), differing(spread))
        beliefs = everyone(company.state)
        hits.append(sum(beliefs[who].low <= worth <= beliefs[who].high for who, worth in company.worth.items()))
        cases.append(len(company.worth))
    return ratio_of(hits, cases)


def _replacements(seed: int, seeds: int) -> Iterator[Finding]:
    watch = Stopwatch()
    seldom = _counts(seed, seeds, "bottom", every=SELDOM)
    yield from _rates("bottom, one look", seldom, None, watch.lap())
    yield from _rates("bottom", _counts(seed, seeds, "bottom"), None, watch.lap())
    yield from _rates("random", _counts(seed, seeds, "random"), None, watch.lap())
    for confidence in CONFIDENCES:
        counts, rule = _counts(seed, seeds, "posterior", confidence=confidence), f"posterior at {confidence:g}"
        yield from _rates(rule, counts, 1 - confidence, watch.lap())
        ratio, low, high = _at_equal_power(counts, seldom, seed)
        yield Finding(
            f"{rule}: good let go over bottom's, at equal power", "<= 0.50", "", ratio, low, high, ratio <= 0.5
        )


def _counts(seed: int, seeds: int, rule: str, confidence: float = 0.7, every: int = 8) -> Counts:
    """Founding researchers of two kinds, replaced or not; hires had less time to be found out and do not count."""
    organisation = chart(4, 60, rule, confidence, every)
    return [_count(work(seed + n, organisation, two_kinds), 4) for n in range(seeds)]


def _count(company: Company, founders: int) -> tuple[int, int, int, int]:
    people = [f"r{n}" for n in range(founders)]
    bad = [who for who in people if company.worth[who] < 0]
    good = [who for who in people if company.worth[who] > 0]
    gone = company.replaced
    return sum(who in gone for who in bad), len(bad), sum(who in gone for who in good), len(good)


def _rates(rule: str, counts: Counts, most_good: float | None, seconds: float) -> Iterator[Finding]:
    bad_gone, bad, good_gone, good = zip(*counts, strict=True)
    power, wrong = ratio_of(bad_gone, bad), ratio_of(good_gone, good)
    right = None if most_good is None else power[0] > wrong[0]
    yield Finding(f"{rule}: P(replaced | bad)", "> good" if most_good else "", "", *power, right, seconds)
    fine = None if most_good is None else wrong[0] <= most_good
    expected = "" if most_good is None else f"<= {most_good:.2f}"
    yield Finding(f"{rule}: P(replaced | good)", expected, "", *wrong, fine)


def _at_equal_power(counts: Counts, control: Counts, seed: int) -> tuple[float, float, float]:
    """Good people let go for each bad one, over the control's; 95 % interval by a bootstrap of seeds.

    A control that acts on a lot drawn beforehand has any smaller power, and errs in proportion; at a larger power it
    errs more than in proportion, so that the ratio flatters it.
    """
    both = np.array([counts, control], dtype=float)  # (2, seeds, 4)
    picks = np.random.default_rng(seed).integers(0, len(counts), size=(RESAMPLES, len(counts)))
    low, high = np.quantile([_ratio(both[:, pick].sum(axis=1)) for pick in picks], (0.025, 0.975))
    return _ratio(both.sum(axis=1)), float(low), float(high)


def _ratio(totals: np.ndarray) -> float:
    price = totals[:, 2] / np.maximum(totals[:, 0], 1)
    return float(price[0] / price[1]) if price[1] > 0 else 1.0


def _fairness(seed: int, seeds: int) -> Iterator[Finding]:
    watch = Stopwatch()
    gaps, told_apart = [], []
    for n in range(seeds):
        company = work(seed + n, chart(2, 40, "never"), nobody_differs)
        gap = difference(company.state.record.scores, "r0", "r1")
        gaps.append(gap.mean)
        told_apart.append(float(gap.low > 0 or gap.high < 0))
    mean, low, high = mean_of(gaps)
    same = abs(mean) <= 3.3 / 1.96 * (high - mean)
    seconds = watch.lap()
    yield Finding("twins: mean difference of scores", "0", "± 3.3 se", mean, low, high, same, seconds)
    rate = mean_of(told_apart)
    yield Finding("twins: told apart at 90 %", "<= 0.10", "+ 0.03", *rate, rate[0] <= 0.13)
