"""The report of a run as one HTML page: no script, nothing loaded from anywhere, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from company.account import Account
from company.changes import Change
from company.conclusion import conclude
from company.markup import Child, Html, el, join
from company.model_costs import HEADS, HEADS_OF_EXPERIMENTS, cost_rows, dear
from company.report_curve import curve, legend
from company.report_org import org_chart
from company.report_people import CREDIT, READING, SCALE, UNCHANGED, Group, Person, changes, groups
from company.report_rows import (
    Run,
    commands,
    decisions,
    facts,
    provenance,
    references,
    runs,
    settings,
)
from company.state import State
from company.wording import count, plain

STYLE = Path(__file__).with_name("report.css")

_WORDS = {
    "gain": "a gain beyond the noise", "none": "no gain beyond the noise", "loss": "a loss beyond the noise",
    "open": "not finished", "failed": "failed",
}  # fmt: skip


def page(account: Account) -> str:
    """The whole document."""
    founded = account.state.phase != "unfounded"
    title = f"{account.state.chart.company} on {account.state.brief['name']}" if founded else "a company"
    head = el(
        "head", el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        el("title", f"Loopworks: {title}"), el("style", Html(STYLE.read_text(encoding="utf-8"))),
    )  # fmt: skip
    body = el("body", el("main", _header(account, title), *(_sections(account) if founded else ())))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _header(account: Account, title: str) -> Html:
    found = conclude(account.state, account.directory)
    return el(
        "header", el("p", title, el("span", _WORDS[found.kind], class_=f"badge {found.kind}"), class_="eyebrow"),
        el("h1", found.sentence),
    )  # fmt: skip


def _sections(account: Account) -> Iterable[Html | None]:
    state = account.state
    yield el("div", *(_fact(f.name, f.value, f.note) for f in facts(account)), class_="facts")
    yield _section("Best so far", "best", *_figure(account))
    yield _section("The company", "company", *_company(account))
    yield _section("People", "people", *_people(account))
    yield _section("What the models took", "models", *_models(account)) if account.models.total.decisions else None
    yield _section("Changes", "changes", *_changes(account))
    yield _section("Decisions", "decisions", _decisions(account))
    yield _section("The champion's config", "champion", _settings(state)) if state.champion else None
    yield _section("Yardsticks", "yardsticks", *_references(state)) if state.brief.get("references") else None
    yield _section("Experiments", "experiments", *_experiments(account))
    yield _section("What this is bound to", "provenance", _pairs(provenance(account)))
    yield _section("See more", "more", _pairs((el("code", do), what) for do, what in commands(account)))


def _section(title: str, id_: str, *children: Child) -> Html:
    return el("section", el("h2", title), *children, id=id_)


def _fact(name: str, value: str, note: str) -> Html:
    return el("div", el("span", name, class_="k"), el("b", value), el("span", note, class_="n"))


def _figure(account: Account) -> Iterable[Html]:
    drawn = curve(account)
    if drawn is None:
        yield el("p", "The noise of the baseline was not measured, so there is nothing to draw.", class_="muted")
        return
    yield el("div", drawn, class_="scroll figure")
    yield legend()


def _company(account: Account) -> Iterable[Html | None]:
    mission = account.state.chart.mission
    yield el("p", mission, class_="mission") if mission else None
    yield el("div", org_chart(account.state), class_="scroll figure")


def _people(account: Account) -> Iterable[Html]:
    for group in groups(account):
        yield el("h3", f"{group.role}s", el("span", f"score in {group.unit}", class_="muted small"))
        yield _group(group)
    yield el("p", f"{SCALE} {CREDIT}", class_="muted small")


def _models(account: Account) -> Iterable[Html]:
    yield _table(HEADS, cost_rows(account.models), numeric=(2, 3, 4, 5, 6))
    yield el("h3", "the experiments that took most of it")
    yield _table(HEADS_OF_EXPERIMENTS, dear(account.models), numeric=(2, 3, 4, 5, 6))


def _group(group: Group) -> Html:
    heads = ("agent", "", "brain", "status", "score", "n", "parts", "credited")
    return _table(heads, (_person(person) for person in group.people), numeric=(4, 5, 7))


def _person(person: Person) -> Sequence[Child]:
    parts = el("dl", *(join(el("dt", name), el("dd", words)) for name, words in person.parts), class_="parts")
    return [person.id, person.name, person.brain, person.status, person.score, person.n, parts, person.credited]


def _changes(account: Account) -> Iterable[Html]:
    found = changes(account)
    if not found:
        yield el("p", UNCHANGED, class_="muted")
        return
    yield el("div", *(_change(change) for change in found), class_="scroll tall")
    yield el("p", READING, class_="muted small")


def _change(change: Change) -> Html:
    head = el("p", el("span", f"{change.at:.1f}", class_="num muted"), el("b", change.who), change.what)
    by = f"{change.by}{f': {change.because}' if change.because else ''}"
    pairs = [
        ("by", by), ("known", change.known), ("predicted", change.predicted), ("happened", change.happened),
        ("undone", change.undone or "no"),
    ]  # fmt: skip
    return el("article", head, _pairs((name, words) for name, words in pairs if words), class_=change.kind)


def _decisions(account: Account) -> Html:
    lines = (
        el(
            "tr",
            el("td", d.at, class_="num"),
            el("td", d.topic, class_="topic"),
            el("td", d.words, class_="words"),
            class_=d.tone,
        )
        for d in decisions(account)
    )
    head = el(
        "thead", el("tr", el("th", "time", class_="num"), el("th", "about"), el("th", "what, and because of what"))
    )
    return el("div", el("table", head, el("tbody", *lines)), class_="scroll tall")


def _settings(state: State) -> Html:
    rows = (
        el("tr", el("th", name), el("td", before), el("td", after), class_="changed" if before != after else None)
        for name, before, after in settings(state)
    )
    head = el("thead", el("tr", el("th", "parameter"), el("th", "baseline"), el("th", "champion")))
    return el("div", el("table", head, el("tbody", *rows), class_="settings"), class_="scroll")


def _references(state: State) -> Iterable[Html]:
    unit = plain(state.metric.unit, 20)
    yield _table(("yardstick", unit or "value", "the champion, on validation data"), references(state), numeric=(1,))


def _experiments(account: Account) -> Iterable[Html]:
    rows = list(runs(account))
    words = f"{count(len(rows), 'experiment')}; what a proposal changes is against the baseline, sigmas too."
    yield el("p", words, class_="muted small")
    heads = ("experiment", "by", "what", "expected", "measured", "sigmas", "outcome")
    head = el("thead", el("tr", *(el("th", h, class_="num" if i in (3, 4, 5) else None) for i, h in enumerate(heads))))
    yield el("div", el("table", head, el("tbody", *(_run(row) for row in rows))), class_="scroll tall")


def _run(row: Run) -> Html:
    style = f"{row.tone} nested" if row.nested else row.tone
    return el(
        "tr", el("th", f"↳ {row.id}" if row.nested else row.id), el("td", row.who), el("td", row.what, class_="what"),
        el("td", row.expected, class_="num"), el("td", row.metric, class_="num"), el("td", row.sigmas, class_="num"),
        el("td", row.outcome, class_="outcome"), class_=style,
    )  # fmt: skip


def _table(heads: Sequence[str], rows: Iterable[Sequence[Child]], numeric: Sequence[int] = ()) -> Html:
    """A table whose first column names the row."""

    def cell(tag: str, index: int, value: Child) -> Html:
        return el("th" if index == 0 else tag, value, class_="num" if index in numeric else None)

    head = el("thead", el("tr", *(cell("th", i, h) for i, h in enumerate(heads))))
    body = el("tbody", *(el("tr", *(cell("td", i, v) for i, v in enumerate(row))) for row in rows))
    return el("div", el("table", head, body), class_="scroll")


def _pairs(pairs: Iterable[tuple[Child, str]]) -> Html:
    return el("dl", *(join(el("dt", name), el("dd", value or "–")) for name, value in pairs))
