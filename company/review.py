"""Review rules: whom to ask, and what their votes decide. Pure; a rule is a screening structure.

One in series with another is `all`, in parallel `any`; k-of-n and nested rules are what lies between
(Sah & Stiglitz 1986, "The architecture of economic systems"; Csaszar 2013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from company.policies import ReviewRule, k_of_n

Part = str | ReviewRule


def who_reviews(rule: ReviewRule | str, reviewers: Sequence[str], turn: int) -> tuple[str, ...]:
    """Whom to ask for the `turn`-th review (from 0): each once, in order.

    `reviewers` serve where the rule does not name its own (`of`). Where a rule asks fewer than there are, they take
    turns. Empty when there is nobody to ask.
    """
    rule = _rule(rule)
    names = (name for part in _asked_parts(rule, reviewers, turn) for name in _names(part, turn))
    return tuple(dict.fromkeys(names))


def decide(rule: ReviewRule | str, votes: Mapping[str, bool], reviewers: Sequence[str]) -> bool | None:
    """Whether the proposal passes; None while the votes so far leave it open.

    `reviewers` are those asked (who_reviews); votes of others do not count. It settles as early as the votes allow.
    Nobody asked: it passes.
    """
    rule = _rule(rule)
    asked = frozenset(reviewers)
    if not rule.of:
        return _count(rule.rule, [votes.get(name) for name in dict.fromkeys(reviewers)])
    verdicts = [_verdict(part, votes, asked) for part in rule.of if asked.intersection(_all_names(part))]
    return _count(rule.rule, verdicts)


def _rule(rule: ReviewRule | str) -> ReviewRule:
    return ReviewRule(rule=rule) if isinstance(rule, str) else rule


def _asked_parts(rule: ReviewRule, reviewers: Sequence[str], turn: int) -> Sequence[Part]:
    parts: Sequence[Part] = rule.of or tuple(reviewers)
    counts = k_of_n(rule.rule)
    asked = 1 if rule.rule == "single" else counts[1] if counts else len(parts)
    if asked >= len(parts):
        return parts
    first = turn * asked % len(parts)
    return [parts[(first + step) % len(parts)] for step in range(asked)]


def _names(part: Part, turn: int) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else who_reviews(part, (), turn)


def _all_names(part: Part) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else part.leaves()


def _verdict(part: Part, votes: Mapping[str, bool], asked: frozenset[str]) -> bool | None:
    if isinstance(part, str):
        return votes.get(part)
    return decide(part, votes, tuple(name for name in part.leaves() if name in asked))


def _count(rule: str, verdicts: Sequence[bool | None]) -> bool | None:
    """Three-valued k of n."""
    if not verdicts:
        return True
    counts = k_of_n(rule)
    needed = counts[0] if counts else len(verdicts) if rule == "all" else 1
    needed = min(needed, len(verdicts))  # a reviewer who is gone must not block the company for ever
    if sum(verdict is True for verdict in verdicts) >= needed:
        return True
    return False if sum(verdict is not False for verdict in verdicts) < needed else None
