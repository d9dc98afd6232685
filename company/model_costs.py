"""What language models took of a run: decisions, tokens, money, by agent, by experiment and in all. A fold of events.

Escalation's saving is what the same tokens would have cost had the strong model been asked every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from company import events as ev
from company.wording import count, number, percent, plain


@dataclass(slots=True)
class Spending:
    """Sums over decisions. `answered` by a model, `answered_offline` in its place; `usd` of the priced ones.

    `usd_strong` is what those of an agent with a strong model would have cost there, `usd_compared` what they did.
    """

    decisions: int = 0
    answered: int = 0
    answered_offline: int = 0
    escalated: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    usd_strong: float = 0.0
    usd_compared: float = 0.0
    seconds: float = 0.0
    models: dict[str, int] = field(default_factory=dict)  # model -> decisions

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    @property
    def saved(self) -> float | None:
        """US dollars that escalation saved; None where nothing can be compared."""
        return self.usd_strong - self.usd_compared if self.usd_strong else None

    @property
    def escalated_share(self) -> float | None:
        """Share of the answered decisions that the strong model was asked for."""
        return self.escalated / self.answered if self.answered else None

    def add(self, measured: Mapping[str, Any]) -> None:
        """Count one decision by what was measured of it."""
        answered = "tokens_in" in measured
        self.decisions += 1
        self.answered += answered
        self.answered_offline += bool(measured.get("offline"))
        self.escalated += answered and "escalated" in measured
        self.tokens_in += int(measured.get("tokens_in", 0))
        self.tokens_out += int(measured.get("tokens_out", 0))
        usd, strong = measured.get("usd"), measured.get("usd_strong")
        self.usd += float(usd or 0.0)
        if usd is not None and strong is not None:
            self.usd_strong, self.usd_compared = self.usd_strong + float(strong), self.usd_compared + float(usd)
        self.seconds += float(measured.get("seconds", 0.0))
        model = str(measured["model"])
        self.models[model] = self.models.get(model, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **asdict(self), "tokens": self.tokens, "saved_usd": self.saved, "escalated_share": self.escalated_share,
        }  # fmt: skip


class ModelCosts:
    """The fold: feed it every event in order. Of experiments nothing is kept where nobody asks for them."""

    def __init__(self, by_experiment: bool = True) -> None:
        self._by_experiment = by_experiment
        self.total = Spending()
        self.agents: dict[str, Spending] = {}
        self.experiments: dict[str, Spending] = {}
        self._about: dict[str, str] = {}  # open decision -> experiment
        self._proposed: dict[str, Mapping[str, Any]] = {}  # agent -> what its proposal, not yet an experiment, took

    def apply(self, event: ev.Event) -> None:
        """Take one event on."""
        if isinstance(event, ev.DecisionRequested) and event.experiment and self._by_experiment:
            self._about[event.decision] = event.experiment
        elif isinstance(event, ev.DecisionMade):
            experiment = self._about.pop(event.decision, None)
            if "model" in event.measured:
                self._spend(event, experiment)
        elif isinstance(event, ev.ExperimentCreated) and event.purpose == "proposal":
            measured = self._proposed.pop(event.proposer or "", None)
            if measured is not None:
                self.experiments.setdefault(event.experiment, Spending()).add(measured)

    def _spend(self, event: ev.DecisionMade, experiment: str | None) -> None:
        self.total.add(event.measured)
        self.agents.setdefault(event.agent, Spending()).add(event.measured)
        if experiment is not None:
            self.experiments.setdefault(experiment, Spending()).add(event.measured)
        elif event.task == "propose" and self._by_experiment:
            self._proposed[event.agent] = event.measured

    def as_json(self) -> dict[str, Any] | None:
        """In all, by agent and by experiment; None where no model was asked."""
        if not self.total.decisions:
            return None
        by = {"agents": self.agents, "experiments": self.experiments}
        return {
            **self.total.as_json(),
            **{name: {id_: spent.as_json() for id_, spent in found.items()} for name, found in by.items()},
        }


def spending_words(spent: Spending) -> str:
    """Tokens, money and the strong model's share in a few words, such as `12,400 tokens · $0.31 · 8 % strong`."""
    found = [f"{spent.tokens:,} tokens"]
    found += [f"${number(spent.usd, 3)}"] if spent.usd else []
    found += [f"{percent(spent.escalated_share)} strong"] if spent.escalated else []
    return " · ".join(found)


def budget_left(spent: Spending, tokens: int | None, usd: float | None) -> float | None:
    """The share of a budget that is left, 0 to 1, by whichever limit is nearer; None where there is none."""
    used = [now / most for now, most in ((spent.tokens, tokens), (spent.usd, usd)) if most]
    return max(0.0, 1.0 - max(used)) if used else None


HEADS = ("who", "models", "decisions", "by the strong one", "offline instead", "tokens", "US dollars")
HEADS_OF_EXPERIMENTS = ("experiment", *HEADS[1:])


def cost_rows(costs: ModelCosts) -> Iterator[tuple[str, ...]]:
    """The table of a report: everyone who has a model, then all of them."""
    for agent, spent in costs.agents.items():
        yield _row(plain(agent, 40), spent)
    yield _row("together", costs.total)


def dear(costs: ModelCosts, most: int = 10) -> Iterator[tuple[str, ...]]:
    """The experiments that took most tokens, in the same columns."""
    ranked = sorted(costs.experiments.items(), key=lambda pair: -pair[1].tokens)
    return (_row(plain(experiment, 40), spent) for experiment, spent in ranked[:most])


def _row(name: str, spent: Spending) -> tuple[str, ...]:
    models = ", ".join(plain(model, 40) for model in spent.models)
    usd = number(spent.usd, 3) if spent.usd else "–"
    share = percent(spent.escalated_share) if spent.escalated else "–"
    return name, models, str(spent.decisions), share, str(spent.answered_offline or "–"), f"{spent.tokens:,}", usd


def words(costs: ModelCosts) -> tuple[str, str]:
    """The number for a card, and what to know of it."""
    total = costs.total
    usd = f", {number(total.usd, 3)} US dollars" if total.usd else ""
    notes = [count(total.answered, "answer")]
    if total.answered_offline:
        notes.append(f"{total.answered_offline} decided offline instead")
    if total.escalated:
        notes.append(f"{percent(total.escalated_share)} by the strong model")
    if total.saved:
        notes.append(f"asking it every time: {number(total.usd_strong, 3)} US dollars")
    return f"{total.tokens:,} tokens{usd}", ", ".join(notes)
