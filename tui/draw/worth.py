"""An agent's score with its interval, and what it is made of: never a number without its evidence."""

from __future__ import annotations

from company.appraisal import Posterior
from company.entities import Agent
from company.planning import budget_spent
from company.snapshot import Snapshot
from company.state import State
from company.wording import count, percent, signed
from company.worth import level_of
from tui.draw.ink import Line, line

SPAN = 3.0  # the scale shows worths from -SPAN to +SPAN

Worth = tuple[float, float, float]  # mean, low, high


def worth_style(worth: Worth) -> str:
    """Good or bad only where the whole interval says so."""
    return "good b" if worth[1] > 0 else "bad b" if worth[2] < 0 else "text"


def scale(worth: Worth | None, room: int) -> Line:
    """The interval on a scale with its zero in the middle: `──├─●──┤`."""
    if worth is None:
        return line(("·" * room, "faint"))
    at = [min(room - 1, max(0, round((value + SPAN) / (2 * SPAN) * (room - 1)))) for value in worth]
    mean, low, high = at
    chars = ["·"] * room
    chars[room // 2] = "┊"
    for x in range(low, high + 1):
        chars[x] = "─"
    chars[low], chars[high] = "├", "┤"
    chars[mean] = "●"
    before, after = "".join(chars[:mean]), "".join(chars[mean + 1 :])
    return line((before, "muted"), ("●", worth_style(worth)), (after, "muted"))


def parts(shot: Snapshot, agent: Agent) -> list[Line]:
    """How the score comes about, and how it stands to the chart's rule."""
    now = shot.worth(agent)
    if now is None:
        return [line(("no finished experiment yet: nothing is known, which is no failure", "muted"))]
    worth = (now.mean, now.low, now.high)
    lines = [
        line(("worth       ", "muted"), (signed(now.mean, 2), worth_style(worth)), "  ", *scale(worth, 17)),
        line(("90 % inside ", "muted"), f"{signed(now.low, 2)} to {signed(now.high, 2)}",
             (f"  compressed sigmas a run, {count(now.evidence, 'run')}", "muted")),
    ]  # fmt: skip
    if shot.early:
        return [*lines, line(("as of       ", "muted"), ("the last appraisal: the ledger is being read", "warn"))]
    return [
        *lines,
        line(("made of     ", "muted"), f"{signed(now.parts['raw'], 2)} on its own, "
             f"{signed(-now.parts['field'], 2)} for the field, {signed(now.parts['shrinkage'], 2)} for doubt"),
        *_standing(shot.state, agent, now),
    ]  # fmt: skip


def _standing(state: State, agent: Agent, now: Posterior) -> list[Line]:
    policies = state.chart.policies
    rule, below = policies.replace, signed(level_of(state), 2)
    style = "bad b" if now.p_below >= rule.confidence else "text"
    lets = f"{percent(rule.confidence)} and {policies.appraise.after} runs let it be replaced"
    what = lets if rule.rule == "posterior" else f"the chart replaces by the rule '{rule.rule}'"
    sure = line(("below par   ", "muted"), (percent(now.p_below), style), (f" sure of under {below}; {what}", "muted"))
    over = line(("below par   ", "muted"), ("no change pays any more: the budget is spent", "muted"))
    lines = [sure if budget_spent(state) < 1 else over]
    if agent.probation is not None:
        left = max(0, agent.probation.until - now.evidence)
        target = f"at least {signed(agent.probation.level, 2)}, judged after {count(left, 'more run')}"
        lines.append(line(("probation   ", "muted"), (target, "warn")))
    return lines
