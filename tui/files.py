"""What the disk holds of one experiment, read in bounds: its curve, the end of its log, its launches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from company.compute.log import clean
from company.compute.tail import MetricsTail, read_end
from company.entities import Experiment
from tui.draw.braille import Points
from tui.draw.experiment import Files
from tui.source import Source, SourceError

LOG_BYTES = 8192


class Shelf:
    """Reads beside the feed, on the screen's own connection; what ended is read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._source = Source(directory)
        self._kept: dict[str, tuple[Points, Sequence[str]]] = {}

    def files(self, experiment: Experiment, others: Sequence[Experiment] = ()) -> Files:
        """An experiment's files, with the curves of others to compare it with. What cannot be read is left out."""
        curves = [(each.id, points) for each in (experiment, *others) if (points := self._read(each)[0])]
        try:
            launches = self._source.outcomes(experiment.id)
        except SourceError:
            launches = []
        return Files(curves, self._read(experiment)[1], launches)

    def close(self) -> None:
        self._source.close()

    def _read(self, experiment: Experiment) -> tuple[Points, Sequence[str]]:
        if experiment.id in self._kept:
            return self._kept[experiment.id]
        found = self._curve(experiment), self._log(experiment)
        if experiment.finished_at is not None:
            if len(self._kept) > 64:
                self._kept.clear()
            self._kept[experiment.id] = found
        return found

    def _curve(self, experiment: Experiment) -> Points:
        try:
            known = self._source.curve(experiment.id) if experiment.finished_at is not None else []
        except SourceError:
            known = []
        if known or experiment.status != "running":
            return known or [(at * experiment.steps, loss) for at, loss in experiment.curve]
        tail = MetricsTail(self._folder(experiment) / "metrics.jsonl", experiment.steps)
        tail.poll()
        tail.finish()
        return tail.curve.whole()

    def _log(self, experiment: Experiment) -> Sequence[str]:
        try:
            text = read_end(self._folder(experiment) / "log.txt", LOG_BYTES).decode(errors="replace")
        except OSError:
            text = ""
        return clean(text or experiment.detail).strip().splitlines()[-40:]

    def _folder(self, experiment: Experiment) -> Path:
        return self._directory / "experiments" / experiment.id
