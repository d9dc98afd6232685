"""One row of a batch again, with its whole ledger: the story behind a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version

from company.batch import work
from company.batch.grid import Task
from company.batch.rows import Row
from company.chart import OrgChart
from company.chart_yaml import save_chart
from company.directory import RunDirectory
from company.engine import Ended, Step
from company.ledger import Ledger
from company.virtual import VirtualCompany


def replay(task: Task, directory: RunDirectory) -> Row:
    """Run a row's company again and record it as `loopworks run` does, chart and learning curves included.

    Raises DirectoryError or LedgerError; what goes wrong in the company is in the row.
    """
    directory.create()
    directory.lock()
    try:
        save_chart(OrgChart.from_dict(task.chart), directory.chart)
        with closing(Ledger(directory.ledger, write=True)) as ledger:
            ledger.open_session("replay", version("loopworks"))
            row = work.work(task, _recorder(ledger))
            ledger.close_session()
            return row
    finally:
        directory.unlock()


def _recorder(ledger: Ledger) -> Callable[[Step, VirtualCompany], None]:
    def record(step: Step, company: VirtualCompany) -> None:
        if step.events:
            ledger.append(step.events, company.engine.state)
        last = company.last
        if isinstance(last, Ended):
            ledger.add_metrics(last.experiment, ((s, v) for s, v in last.outcome.curve if math.isfinite(v)))

    return record
