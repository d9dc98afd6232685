"""The page of one agent: what it is worth and why, why it is here, what it decided."""

from __future__ import annotations

from itertools import islice

from company.brain_words import brain_words
from company.code_words import tried_text
from company.entities import Agent
from company.model_costs import spending_words
from company.observe import replaceable
from company.scorecard_words import cost_words, parts_words, score_words
from company.snapshot import Opinions, Snapshot
from company.standing import better_by, champion_metric, doing, scorecard
from company.wording import count, number, percent, plain, signed, span
from tui.draw import glyphs
from tui.draw.ink import EMPTY, Line, brief, line, said, sparks
from tui.draw.news import told
from tui.draw.page import fact, heading, paragraph
from tui.draw.worth import parts, worth_style

DECISIONS = 40
BEST = 5


def agent_page(shot: Snapshot, id: str, room: int, short: bool = False) -> list[Line]:
    """Everything worth knowing of an agent, the most important first; `short` leaves the long lists out."""
    agent = shot.state.agents.get(id)
    if agent is None:
        return [line(("nobody is selected", "muted"))]
    lines = [*_who(shot, agent, room), *_score(shot, agent, room, short), *_model(shot, agent, room, short)]
    lines += _place(shot, agent, room)
    lines += [*_appraisals(shot, agent, room), *_best(shot, agent, room)] if not short and not shot.early else []
    return [*lines, *_decisions(shot, agent, room, 8 if short else DECISIONS)]


def _who(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    glyph, colour = glyphs.seat(agent)
    named = brain_words(agent.brain.kind, agent.brain.params)
    brain = f" · {named}" if named else ""
    name = plain(agent.name, 60) if agent.name.casefold() != agent.id else ""
    lines = [
        line(
            (f"{glyph} ", f"{colour} b"), (agent.id, "strong b"), ("  " + said(name, room - len(agent.id) - 4), "muted")
        ),
        line(("  " + agent.role, colour), (brain, "muted"), *_status(agent)),
    ]
    task = doing(shot.state).get(agent.id)
    if agent.status != "left":
        lines.append(fact("now", (plain(task, 80), "busy") if task else ("waits", "muted")))
    return lines


def _status(agent: Agent) -> list[tuple[str, str]]:
    words = {"probation": "on probation", "trial": "on trial"}.get(agent.status)
    if words:
        return [(f" · {words}", "warn b")]
    return [(" · has left", "muted")] if agent.status == "left" else []


def _score(shot: Snapshot, agent: Agent, room: int, short: bool) -> list[Line]:
    if shot.early and agent.role != "researcher":
        return [*heading("Score", room), line(("not known yet: the ledger is being read", "warn"))]
    if agent.role != "researcher":
        return [*_card(shot, agent, room, short), *_record(shot, agent, room)]
    lines = [*heading("Score", room), *parts(shot, agent)]
    if shot.early:
        return lines
    if agent.outcomes:
        bars = sparks(agent.outcomes, max(8, room - 24), 0.0, 1.0)
        lines.append(line(("beat        ", "muted"), (bars, "busy"), (" of the record", "muted")))
    ran = f"{count(agent.experiments, 'run')}, {agent.failed} failed, {count(agent.dropped, 'proposal')} dropped"
    lines.append(line(("spent       ", "muted"), f"{brief(agent.cost)} of slots, ", ran))
    foresight = dict(parts_words(scorecard(shot.state, agent.id))).get("foresight", "")
    return [*lines, *(paragraph("foresight", foresight, room, 3) if agent.outcomes and not short else [])]


def _model(shot: Snapshot, agent: Agent, room: int, short: bool) -> list[Line]:
    """What its language model took; nothing of who has none, nor before the ledger is read."""
    spent = shot.costs.agents.get(agent.id)
    if spent is None or shot.early:
        return []
    asked = [count(spent.answered, "answer")]
    asked += [f"{spent.answered_offline} decided offline instead"] if spent.answered_offline else []
    lines = [*heading("Model", room), fact("took", (spending_words(spent), "text"))]
    if short:
        return lines
    lines += paragraph("gave", ", ".join(asked), room, 3)
    lines.append(fact("tokens", f"{spent.tokens_in:,} read, {spent.tokens_out:,} written"))
    if len(spent.models) > 1 or spent.escalated:
        shares = [f"{plain(name, 40)} {count(times, 'time')}" for name, times in spent.models.items()]
        lines += paragraph("asked", ", ".join(shares), room, 4)
    if spent.saved:
        lines += paragraph("saved", f"{number(spent.saved, 3)} US dollars by not asking the strong one", room, 3)
    return lines


def _card(shot: Snapshot, agent: Agent, room: int, short: bool) -> list[Line]:
    """The score of a role that has no worth of its own, and what it consists of."""
    card = scorecard(shot.state, agent.id)
    value = (card.score, card.low, card.high)
    lines = [
        *heading("Score", room),
        fact("score", (score_words(card), worth_style(value))),
        *paragraph("in", f"{card.unit}, from {count(card.n, 'result')}", room, 3, "muted"),
    ]
    for name, words in parts_words(card) if card.n and not short else []:
        lines += paragraph(name, words, room, 3)
    return [*lines, fact("cost", cost_words(card))]


def _record(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    known = shot.opinions.get(agent.id, Opinions())
    lines = [*heading("Record", room), fact("decided", count(agent.decisions, "time"))]
    if known.reviews:
        lines.append(fact("reviews", f"{known.reviews}, {known.turned_down} turned down"))
    if known.verdicts:
        words = f"{known.verdicts}, {known.promising} promising, {known.held} of them confirmed"
        lines += paragraph("verdicts", words, room)
    if agent.digest:
        lines += paragraph("reports", agent.digest, room, 5)
    return lines


def _place(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    """Why hired, what is asked of it, and whether it is at risk."""
    tenures = shot.tenures.get(agent.position, [])
    own = next((tenure for tenure in tenures if tenure.agent == agent.id), None)
    manager = shot.state.chart.manager_of(agent.position)
    boss = f" under {shot.state.holder.get(manager, manager)}" if manager else ", the root"
    lines = [*heading("Place", room), fact("position", f"{agent.position}{boss}")]
    if own is not None:
        lines += paragraph("why here", f"{own.because} ({span(own.at)})", room, 3)
    if agent.share is not None:
        focus = f", on {', '.join(plain(name, 30) for name in agent.directive.focus)}" if agent.directive.focus else ""
        asked = f"{percent(agent.share)} of its manager's compute; {agent.directive.kind}{focus}"
        lines += paragraph("asked", asked + (f": {agent.directive.reason}" if agent.directive.reason else ""), room, 4)
    lines += _risk(shot, agent, room)
    if len(tenures) > 1:
        lines += paragraph("succession", " → ".join(tenure.agent for tenure in tenures), room, 3, "muted")
    return lines


def _risk(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    last = shot.appraisals.get(agent.id, [])
    if agent.status == "left":
        gone = shot.diary(agent.id).last("AgentReplaced")
        return paragraph("why gone", gone.words, room, 4, "bad") if gone else []
    if agent.role != "researcher":
        return []
    trial = shot.state.trials.get(agent.position)
    if trial is not None and trial.hired == agent.id:
        left = count(max(0, trial.trial - agent.experiments), "proposal")
        words = f"on trial for {left} more; then whoever of it and {trial.leaving} is worth more has the seat"
        return paragraph("at risk", words, room, 4, "warn")
    if agent.status == "probation":
        coached = shot.diary(agent.id).last("AgentCoached")
        return paragraph("at risk", coached.words if coached else "on probation", room, 5, "warn")
    if not shot.early and replaceable(shot.state, agent):
        return paragraph("at risk", "the chart's rule lets it be replaced at the next appraisal", room, 3, "warn")
    said_last = last[-1][1].because if last else "not appraised yet"
    return paragraph("why kept", said_last, room, 3)


def _appraisals(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    found = shot.appraisals.get(agent.id, [])
    lines = heading("Appraisals", room) if found else []
    for at, each in reversed(found[-12:]):
        style = {"keep": "text", "coach": "warn", "replace": "bad"}.get(each.outcome, "text")
        worth = f"{signed(each.worth, 2):>6} ({signed(each.low, 2)} to {signed(each.high, 2)})"
        lines.append(
            line((f"{span(at):>8} ", "faint"), (f"{each.outcome:8}", style), worth,
                 (f"  {count(each.evidence, 'run')}, by {each.by}", "muted"))
        )  # fmt: skip
    return lines


def _best(shot: Snapshot, agent: Agent, room: int) -> list[Line]:
    state = shot.state
    own = [e for e in state.experiments.values() if e.proposer == agent.id and e.purpose == "proposal"]
    measured = [e for e in own if e.metric is not None]
    ranked = sorted(measured, key=lambda e: state.loss(e.metric or 0.0))[:BEST]
    lines = heading("Best experiments", room) if ranked else []
    for each in ranked:
        by = better_by(state, each.metric, champion_metric(state))
        glyph, style = glyphs.standing(each)
        sigmas = "" if by is None else f"{by:+.1f}σ"
        what = tried_text(state, each.code, each.config, "", state.brief["baseline"], 3)
        lines.append(
            line((f"{glyph} ", style), (f"{each.id}  ", "strong"), f"{number(each.metric):>8} ",
                 (f"{sigmas:>7}  ", "good" if (by or 0) > 0 else "muted"),
                 (said(what, max(4, room - 28)), "muted"))
        )  # fmt: skip
    return lines


def _decisions(shot: Snapshot, agent: Agent, room: int, most: int) -> list[Line]:
    marks = list(islice(reversed(shot.diary(agent.id).latest), most))
    if not marks:
        return [EMPTY, line(("nothing told of it yet", "muted"))]
    return [*heading("What happened", room), *told(marks, room)]
