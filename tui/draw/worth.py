"""An agent's score with its interval, and what it is made of: never a number without its evidence."""

from __future__ import annotations

from company.appraisal import PRIOR_SD, level_of, posterior
from company.state import Agent, State
from company.wording import count, percent, signed
from tui.draw.ink import Line, line

SPAN = 1.0  # the scale shows worths from -SPAN to +SPAN

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


def parts(state: State, agent: Agent) -> list[Line]:
    """How the score comes about, and how it stands to the chart's rule."""
    n = len(agent.scores)
    if not n:
        return [line(("no finished experiment yet: nothing is known, which is no failure", "muted"))]
    policies = state.chart.policies
    now = posterior(agent.scores, level=level_of(policies.replace.below))
    prior = 1 / PRIOR_SD**2
    total = sum(agent.scores)
    rule = policies.replace
    return [
        line(("worth       ", "muted"), (signed(now.mean, 2), worth_style((now.mean, now.low, now.high))), "  ",
             *scale((now.mean, now.low, now.high), 17)),
        line(("90 % inside ", "muted"), f"{signed(now.low, 2)} to {signed(now.high, 2)}"),
        line(("made of     ", "muted"), f"{signed(total)} from {count(n, 'run')} / ({n} + {prior:.0f} of doubt)"),
        line(("below par   ", "muted"), (percent(now.p_below), "bad b" if now.p_below >= rule.confidence else "text"),
             (f" sure; {percent(rule.confidence)} and {policies.appraise.after} runs let it be replaced"
              if rule.rule == "posterior" else f" sure; the chart replaces by the rule '{rule.rule}'", "muted")),
    ]  # fmt: skip
