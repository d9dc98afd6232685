"""The tables of a batch's report as plain text, the same for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from company.batch.contrasts import Contrast
from company.batch.statistics import Analysis
from company.batch.summaries import Summary
from company.batch.verdict import span
from company.wording import number, percent, plain, signed

MEANS = ("regret", "best_found", "mean_of_agents", "replacements", "experiments", "slot_seconds")
STATISTICS = {"iqm": "IQM of regret", "mean": "mean regret"}


@dataclass(frozen=True, slots=True)
class Table:
    """A title, what to know, headings and rows of text that is not escaped; `numeric` columns are set to the right."""

    title: str
    words: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...]


def tables(analysis: Analysis, made: Mapping[str, object]) -> Iterator[Table]:
    """Every table that has rows, in the order of the report."""
    found = (_arms(analysis), _contrasts(analysis), _failures(analysis), _made(analysis, made))
    yield from (table for table in found if table.rows)


def _arms(analysis: Analysis) -> Table:
    words = (
        "Regret is of the champion's true loss: 0 is the best there is, 1 a random draw; less is better. Best found is"
        " of the best config tried, mean of agents of what each researcher found by itself. Means are per company."
        " Experiments may be more than the budget's, which counts what one that was stopped early used; slot-seconds"
        " are what all of them took."
    )
    heads = (
        "arm", "n", STATISTICS[analysis.statistic], "95 % interval", "mean regret", "best found", "mean of agents",
        "replaced", "experiments", "slot-seconds", "failed",
    )  # fmt: skip
    rows = tuple(_arm(analysis, each) for each in analysis.summaries)
    return Table("Arms", words, heads, rows, tuple(range(1, len(heads))))


def _arm(analysis: Analysis, each: Summary) -> tuple[str, ...]:
    mark = " (control)" if each.arm in analysis.controls else ""
    mark += " (reference)" if each.arm == analysis.reference and analysis.contrasts else ""
    means = [each.means.get(name) for name in MEANS]
    return (
        f"{each.arm}{mark}", str(each.n), number(each.estimate, 3), span(each.interval) or "–",
        *(number(value, 3) for value in means), str(each.failed),
    )  # fmt: skip


def _contrasts(analysis: Analysis) -> Table:
    words = (
        "Negative is better; brackets hold 95 % intervals. P(better) is the chance that a run of the arm beats one of"
        " the reference on the same project. Then the worlds won, tied and lost. p is Holm's, over all rows."
        " Pairing helped: how many times wider the interval would be without it."
    )
    heads = (
        "arm", "worlds", "left out", "difference", "95 % interval", "ratio", "P(better)", "won, tied, lost", "p (Holm)",
        "pairing helped",
    )  # fmt: skip
    rows = tuple(_contrast(analysis, each) for each in analysis.contrasts)
    return Table(f"Against {analysis.reference}", words, heads, rows, tuple(range(1, len(heads))))


def _contrast(analysis: Analysis, each: Contrast) -> tuple[str, ...]:
    name = f"{each.arm}{' (control)' if each.arm in analysis.controls else ''}"
    pair = each.paired
    if pair is None:
        return (name, "0", str(each.left_out), *["–"] * 7)
    return (
        name, str(pair.worlds), str(each.left_out), signed(pair.difference), span(pair.interval) or "–",
        _with(number(pair.ratio, 3), span(pair.ratio_interval)),
        _with(percent(pair.improvement), _percents(pair.improvement_interval)),
        f"{pair.wins}, {pair.ties}, {pair.losses}", number(pair.p_holm, 2),
        f"{number(pair.narrowed, 2)} x" if pair.narrowed is not None else "–",
    )  # fmt: skip


def _percents(interval: Sequence[float | None]) -> str:
    low, high = interval
    return "" if low is None or high is None else f"{100 * low:.0f} to {100 * high:.0f}"


def _with(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value


def _failures(analysis: Analysis) -> Table:
    words = "A failed company has no regret: its world is left out of every contrast with its arm."
    rows = tuple((str(each.arm), each.stage, each.reason, str(each.count)) for each in analysis.failures)
    return Table("Failures", words, ("arm", "stage", "reason", "companies"), rows, (3,))


def _made(analysis: Analysis, made: Mapping[str, object]) -> Table:
    own = {
        "companies": analysis.rows,
        "projects": ", ".join(plain(name, 40) for name in analysis.projects),
        "seed of the bootstrap": analysis.seed,
    }
    rows = tuple((plain(key, 80), plain(value, 1000)) for key, value in {**made, **own}.items())
    return Table("How it was made", "", ("what", "value"), rows, ())
