"""The page of one experiment: what was measured against what, what changed, who said what, how it learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from company import events as ev
from company.code_words import code_words
from company.entities import Experiment
from company.snapshot import Snapshot
from company.wording import count, number, percent, plain, setting
from tui.draw import glyphs
from tui.draw.braille import Points, plot
from tui.draw.ink import Line, Span, brief, line, said, verbatim
from tui.draw.metric import metric_lines
from tui.draw.page import columns, fact, heading, paragraph

CURVES = ("busy", "engineer", "reviewer", "manager", "good")
LOG_LINES = 12
DIFF_LINES = 40


@dataclass(frozen=True, slots=True)
class Files:
    """What the disk holds of an experiment: curves by experiment (its own first), the end of its log, its launches."""

    curves: Sequence[tuple[str, Points]] = ()
    log: Sequence[str] = ()
    launches: Sequence[tuple[int, float, float | None, str]] = field(default_factory=tuple)


def experiment_page(shot: Snapshot, id: str, files: Files, room: int) -> list[Line]:
    """Everything worth knowing of an experiment, the most important first."""
    experiment = shot.state.experiments.get(id)
    if experiment is None:
        return [line(("no experiment is selected", "muted"))]
    return [
        *_title(shot, experiment, room),
        *metric_lines(shot, experiment, room),
        *_seeds(shot, experiment, room),
        *_config(shot, experiment, room),
        *_code(shot, experiment, room),
        *_curve(files, room),
        *_opinions(shot, experiment, room),
        *_launches(files, room),
        *_log(files, room),
    ]


def _title(shot: Snapshot, e: Experiment, room: int) -> list[Line]:
    glyph, colour, word = glyphs.status(e)
    mark, tone = glyphs.standing(e)
    whose = f" of {e.proposer}" if e.proposer else ""
    failure = f" ({plain(e.failure, 30).replace('_', ' ')})" if e.failure else ""
    lines = [
        line((f"{glyph} ", f"{colour} b"), (e.id, "strong b"), (whose, "researcher"), (f" · {e.purpose} · ", "muted"),
             (word + failure, colour), (f"  {mark} {e.standing}" if e.standing else "", tone)),
    ]  # fmt: skip
    if e.parent:
        lines.append(fact("repeats", e.parent))
    if e.sandbox:
        lines.append(fact("sandbox", plain(e.sandbox, 20)))
    lines += paragraph("because", e.reason, room, 3) if e.reason else []
    lines += paragraph("ended", e.detail, room, 3, colour) if e.detail and e.status in ("stopped", "refused") else []
    return lines


def _seeds(shot: Snapshot, e: Experiment, room: int) -> list[Line]:
    judged = shot.dossier(e.id).judged
    if not e.replications and judged is None:
        return []
    lines = heading("On fresh seeds", room)
    for id in e.replications:
        run = shot.state.experiments[id]
        glyph, colour, word = glyphs.status(run)
        value = number(run.metric) if run.metric is not None else word
        lines.append(line((f"{glyph} ", colour), (f"{id}  ", "text"), value, (f"  seed {run.seed}", "muted")))
    if judged is None:
        return lines
    accepted = isinstance(judged, ev.ChampionChosen)
    verdict = f"claimed {number(judged.claimed)}, measured {number(judged.metric)} on {count(judged.n, 'seed')}"
    p = f", p = {number(judged.p, 2)}" if judged.p is not None else ""
    word = ("★ champion", "good b") if accepted else ("☆ not confirmed", "warn")
    lines += [line(word), *paragraph("measured", verdict + p, room, 3)]
    return [*lines, *paragraph("because", judged.because, room, 3, "muted")]


def _config(shot: Snapshot, e: Experiment, room: int) -> list[Line]:
    base = shot.state.brief["baseline"]
    champion = shot.state.champion.config if shot.state.champion else base
    changed = [name for name in e.config if e.config[name] != base.get(name)]
    if not changed:
        return [*heading("Config", room), line(("as the baseline's", "muted"))]
    rows: list[list[Span]] = [[("", ""), ("baseline", "muted"), ("champion", "muted"), ("this", "muted")]]
    for name in changed:
        values = [setting(source.get(name)) for source in (base, champion, e.config)]
        rows.append([(said(name, 18), "text"), (values[0], "muted"), (values[1], "good"), (values[2], "strong b")])
    same = len(e.config) - len(changed)
    rest = [line((f"{count(same, 'other')} as the baseline's", "faint"))] if same else []
    return [*heading("Config", room), *columns(rows), *rest]


def _code(shot: Snapshot, e: Experiment, room: int) -> list[Line]:
    """What its version of the training code changes, and where all of it can be had."""
    code = shot.state.codes.get(e.code)
    if code is None:
        return []
    title = f"{code_words(shot.state, e.code)} against the project's own, first run as {code.event.experiment}"
    changed = [text for text in code.event.diff.splitlines() if text[:4] not in ("--- ", "+++ ")]
    lines = [*heading("Code", room), *paragraph("", title, room, 2, "muted")]
    for text in changed[:DIFF_LINES]:
        lines.append(line((verbatim(text, room), {"+": "good", "-": "bad"}.get(text[:1], "muted"))))
    left = len(changed) - DIFF_LINES
    more = f"{count(left, 'more line')}, in code.git: refs/tried/{code.event.experiment}"
    return [*lines, line((more, "faint"))] if left > 0 else lines


def _curve(files: Files, room: int) -> list[Line]:
    series = [(points, CURVES[index % len(CURVES)]) for index, (_, points) in enumerate(files.curves)]
    drawn = plot(series, min(room, 100), 9)
    if not drawn:
        return []
    names = [(f"━ {id}  ", CURVES[index % len(CURVES)]) for index, (id, _) in enumerate(files.curves)]
    legend = [line(*names)] if len(names) > 1 else []
    return [*heading("Training loss by step (self-reported)", room), *drawn, *legend]


def _opinions(shot: Snapshot, e: Experiment, room: int) -> list[Line]:
    dossier = shot.dossier(e.id)
    lines: list[Line] = heading("Opinions", room) if dossier.reviews or dossier.verdicts else []
    for review in dossier.reviews:
        word = ("approves", "good") if review.approve else ("turns down", "bad")
        chance = f" ({percent(review.p_improves)} that it improves)"
        lines += _opinion(review.reviewer, word, chance, review.reason, room)
    for verdict in dossier.verdicts:
        style = {"promising": "good", "failed": "bad", "worse": "warn"}.get(verdict.outcome, "muted")
        chance = f" ({percent(verdict.p_real)} that it is real)"
        lines += _opinion(verdict.reviewer, (plain(verdict.outcome, 20), style), chance, verdict.reason, room)
    return lines


def _opinion(who: str, word: Span, chance: str, reason: str, room: int) -> list[Line]:
    return [line((f"■ {who} ", "reviewer"), word, (chance, "muted")), *paragraph("", reason, room, 3, "muted")]


def _launches(files: Files, room: int) -> list[Line]:
    lines = heading("Launches", room) if files.launches else []
    for slot, started, ended, outcome in files.launches[-6:]:
        took = brief(ended - started) if ended is not None else "…"
        lines.append(line((f"slot {slot}  ", "muted"), f"{took}  ", (plain(outcome, 40), "text")))
    return lines


def _log(files: Files, room: int) -> list[Line]:
    if not files.log:
        return []
    return [*heading("End of the log", room), *(line((said(text, room), "muted")) for text in files.log[-LOG_LINES:])]
