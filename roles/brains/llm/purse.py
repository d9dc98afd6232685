"""The company's budget for language models: reserved before a call, settled after it.

A call is made only if what it may cost at most still fits, so that the budget ends the spending and not the month's
bill. What a server bills for a call that failed is unknown and counts for nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class BudgetGone(Exception):
    """A call no longer fits into the budget; the message says which."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens, and US dollars where the price is known."""

    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.tokens - other.tokens, self.usd - other.usd)


class Purse:
    """What may be spent (None: without a limit), what is spent, and what calls under way have put aside."""

    def __init__(self, tokens: int | None = None, usd: float | None = None, spent: Cost | None = None) -> None:
        self.tokens, self.usd = tokens, usd
        self.spent, self.reserved = spent or Cost(), Cost()
        self._settled = asyncio.Condition()

    async def reserve(self, most: Cost) -> None:
        """Put aside what a call may cost at most, when calls under way leave room. Raises BudgetGone if none can."""
        async with self._settled:
            while True:
                if gone := self._over(self.spent + most):
                    raise BudgetGone(gone)
                if not self._over(self.spent + self.reserved + most):
                    break
                await self._settled.wait()
            self.reserved += most

    async def settle(self, most: Cost, cost: Cost) -> None:
        """Give back what was put aside and count what the call cost."""
        async with self._settled:
            self.reserved -= most
            self.spent += cost
            self._settled.notify_all()

    def _over(self, cost: Cost) -> str:
        if self.tokens is not None and cost.tokens > self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent"
        if self.usd is not None and cost.usd > self.usd + 1e-12:
            return f"the budget of {self.usd:g} US dollars is spent"
        return ""
