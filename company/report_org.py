"""The org chart as a drawing: a card a team, the manager on top and the reports as rows, connectors between cards."""

from __future__ import annotations

from dataclasses import dataclass

from company.chart_svg import label, svg
from company.entities import Agent
from company.markup import Html, el, join
from company.standing import score
from company.state import State
from company.wording import plain

CARD, ROW, HEAD = 232, 38, 46
GAP_X, GAP_Y = 28, 40
WIDE = 4  # teams side by side; with more of them the chart grows from left to right


@dataclass(slots=True)
class Card:
    """A team and where it is drawn."""

    manager: Agent
    rows: list[Agent]
    below: list[Card]
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> float:
        return HEAD + ROW * len(self.rows) + (8 if self.rows else 0)


def org_chart(state: State) -> Html:
    """The company as it stands."""
    root = _card(state, state.chart.root)
    sideways = _leaves(root) > WIDE
    width, height = _place_sideways(root) if sideways else _place_down(root)
    drawn = _draw(state, root, sideways)
    return svg(width + 2, height + 2, drawn, label=f"Org chart of {plain(state.chart.company)}")


def _card(state: State, position: str) -> Card:
    reports = state.chart.reports(position)
    managers = [r for r in reports if state.chart.position(r).role == "manager"]
    rows = [state.agent_at(r) for r in state.filled(reports) if r not in managers]
    return Card(state.agent_at(position), rows, [_card(state, manager) for manager in managers])


def _leaves(card: Card) -> int:
    return sum(_leaves(below) for below in card.below) or 1


def _place_down(card: Card, x: float = 1, y: float = 1) -> tuple[float, float]:
    """Children side by side under their manager; returns (right, bottom) of what was placed."""
    card.y = y
    right, bottom = x - GAP_X, y + card.height
    for below in card.below:
        right, lowest = _place_down(below, right + GAP_X, y + card.height + GAP_Y)
        bottom = max(bottom, lowest)
    card.x = (card.below[0].x + card.below[-1].x) / 2 if card.below else x
    return max(right, card.x + CARD), bottom


def _place_sideways(card: Card, x: float = 1, y: float = 1) -> tuple[float, float]:
    """Children one under another to the right of their manager; returns (right, bottom) of what was placed."""
    card.x, card.y = x, y
    right, bottom = x + CARD, y - GAP_Y / 2
    for below in card.below:
        farthest, bottom = _place_sideways(below, x + CARD + GAP_X * 2, bottom + GAP_Y / 2)
        right = max(right, farthest)
    return right, max(bottom, y + card.height)


def _draw(state: State, card: Card, sideways: bool) -> Html:
    parts = [_connector(card, below, sideways) for below in card.below]
    parts.append(el("rect", x=card.x, y=card.y, width=CARD, height=card.height, rx=8, class_="card"))
    parts.append(_seat(state, card.manager, card.x, card.y + 6, "lead"))
    if card.rows:
        edge = card.y + HEAD
        parts.append(el("line", x1=card.x, x2=card.x + CARD, y1=edge, y2=edge, class_="grid"))
    parts += [_seat(state, agent, card.x, card.y + HEAD + 4 + ROW * index, "") for index, agent in enumerate(card.rows)]
    return join(*parts, *(_draw(state, below, sideways) for below in card.below))


def _connector(card: Card, below: Card, sideways: bool) -> Html:
    if sideways:
        half = card.x + CARD + GAP_X
        path = f"M{card.x + CARD:.0f} {card.y + 22:.0f}H{half:.0f}V{below.y + 22:.0f}H{below.x:.0f}"
    else:
        half = card.y + card.height + GAP_Y / 2
        path = f"M{card.x + CARD / 2:.0f} {card.y + card.height:.0f}V{half:.0f}H{below.x + CARD / 2:.0f}V{below.y:.0f}"
    return el("path", d=path, class_="edge")


def _seat(state: State, agent: Agent, x: float, y: float, style: str) -> Html:
    """Two lines for one agent: who it is and its score, then its role, brain and standing."""
    worth = score(state, agent)
    brain = "" if agent.brain.kind == "policy" else f" · {plain(agent.brain.kind, 14)}"
    standing = {"probation": " · on probation", "trial": " · on trial"}.get(agent.status, "")
    title = plain(agent.name, 22) if agent.name != agent.id else ""
    tooltip = el("title", f"{agent.id} {agent.name}: {agent.experiments} experiments")
    name = el("text", agent.id, el("tspan", title, class_="muted", dx=6), x=x + 22, y=y + 15, class_=f"name {style}")
    parts = [
        tooltip,
        el("circle", cx=x + 12, cy=y + 11, r=4, class_=f"role {agent.role}"),
        name,
        label(x + 22, y + 30, f"{agent.role}{brain}{standing}", "sub warn" if standing else "sub"),
        label(x + CARD - 10, y + 15, f"{worth.mean:+.2f}" if worth else "", "worth", "end"),
    ]
    return el("g", *parts)
