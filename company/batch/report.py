"""The report of a batch, as Markdown and as one HTML page that loads nothing: the conclusion first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from company.batch import plots
from company.batch.statistics import Analysis
from company.batch.tables import Table, tables
from company.markdown_text import line, part
from company.markup import Html, el
from company.wording import count

STYLES = (Path(__file__).parents[1] / "report.css", Path(__file__).with_name("batch.css"))
CAPTIONS = {
    "arms": "Every arm", "contrasts": "Every arm against the reference", "profile": "Performance profile",
    "progress": "Best so far against slot-seconds",
}  # fmt: skip
_BADGES = {"better": ("gain", "better"), "worse": ("loss", "worse"), "same": ("none", "no difference"),
           "none": ("none", "not decided")}  # fmt: skip
_COLOURS = {plots.INK: "--ink", plots.RULE: "--rule", plots.BLUE: "--blue", "#ffffff": "--card"}


def markdown(analysis: Analysis, made: Mapping[str, object], folder: str = "") -> str:
    """The whole report; pictures are linked as `folder`/NAME.svg (`plots.write` makes them), none if it is empty."""
    return "\n".join(_lines(analysis, made, folder)) + "\n"


def page(analysis: Analysis, made: Mapping[str, object]) -> str:
    """The whole HTML document, pictures within. `made` says how: command line, settings, versions."""
    kind, badge = _BADGES[analysis.verdict.kind]
    head = el(
        "head", el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        el("title", f"Loopworks: {_title(analysis)}"),
        el("style", Html("".join(path.read_text(encoding="utf-8") for path in STYLES))),
    )  # fmt: skip
    header = el(
        "header", el("p", _title(analysis), el("span", badge, class_=f"badge {kind}"), class_="eyebrow"),
        el("h1", analysis.verdict.sentence), *(el("p", note, class_="muted") for note in analysis.notes),
    )  # fmt: skip
    found = [_table(table) for table in tables(analysis, made)]
    figures = [_figure(analysis, name) for name in plots.pictures(analysis)]
    body = el("body", el("main", header, *found[:-1], *figures, found[-1]))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _title(analysis: Analysis) -> str:
    arms, projects = count(len(analysis.summaries), "arm"), count(len(analysis.projects), "project")
    return f"a batch of {analysis.rows} runs, {arms} on {projects}"


def _lines(analysis: Analysis, made: Mapping[str, object], folder: str) -> Iterator[str]:
    yield f"# {line(_title(analysis)).capitalize()}"
    yield from ("", f"**{part(analysis.verdict.sentence)}**")
    for note in analysis.notes:
        yield from ("", line(note))
    for table in tables(analysis, made):
        yield from ("", f"## {line(table.title)}", "")
        if table.words:
            yield from (line(table.words), "")
        yield f"| {' | '.join(table.heads)} |"
        yield f"|{''.join(' ---: |' if i in table.numeric else ' --- |' for i in range(len(table.heads)))}"
        yield from (f"| {' | '.join(part(cell) for cell in row)} |" for row in table.rows)
    for name in plots.pictures(analysis) if folder else ():
        yield from ("", f"![{CAPTIONS[name]}]({folder}/{name}.svg)")


def _table(table: Table) -> Html:
    def cells(tag: str, row: tuple[str, ...]) -> Iterator[Html]:
        for i, value in enumerate(row):
            yield el("th" if i == 0 else tag, value, class_="num" if i in table.numeric else None)

    head = el("thead", el("tr", *cells("th", table.heads)))
    body = el("tbody", *(el("tr", *cells("td", row)) for row in table.rows))
    words = el("p", table.words, class_="muted small") if table.words else None
    return el("section", el("h2", table.title), words, el("div", el("table", head, body), class_="scroll"))


def _figure(analysis: Analysis, name: str) -> Html:
    svg = inline(plots.drawn(analysis, name, "svg").decode(), name, CAPTIONS[name])
    return el("section", el("h2", CAPTIONS[name]), el("div", svg, class_="scroll figure drawn"))


def inline(svg: str, name: str, label: str) -> Html:
    """An SVG of `plots` for this page: ids of its own, and colours that follow light and dark."""
    found = svg[svg.index("<svg") :]
    found = re.sub(r"<style.*?</style>|<!--.*?-->|<metadata>.*?</metadata>", "", found, flags=re.DOTALL)
    found = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{name}-", found)
    for colour, variable in _COLOURS.items():
        found = re.sub(rf"(?<=: ){colour}(?=[;\"])", f"var({variable})", found)
    return Html(found.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
