"""What a run has shown, in one sentence, and no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from company import events as ev
from company.noise import failed_baseline
from company.standing import better_by, champion_is_baseline, champion_metric, progress
from company.state import State
from company.wording import count, number, plain


@dataclass(frozen=True, slots=True)
class Conclusion:
    """`kind`: gain and loss are beyond the noise, none is not; open has not closed, failed could not work."""

    kind: Literal["gain", "none", "loss", "open", "failed"]
    sentence: str


def conclude(state: State, directory: Path | None = None) -> Conclusion:
    """What can be said of a run as it stands, closed or not; `directory` is where a failed one may have left a log."""
    if state.closed is not None and state.closed.failed:
        reason = plain(why_ended(state, directory), 600).rstrip(".")
        return Conclusion("failed", f"Nothing can be concluded: the company could not work: {reason}.")
    if state.holdout is not None:
        return of_holdout(state, state.holdout)
    if state.phase == "unfounded":
        return Conclusion("open", "Nothing can be concluded: the company was not founded.")
    return Conclusion("open", f"The run has not finished, so nothing can be concluded yet: {_so_far(state)}.")


def why_ended(state: State, directory: Path | None = None) -> str:
    """Why a run ended; where the company could not work, with the last words of the baseline run that failed.

    A run that really trained keeps all that it said in `directory`; in virtual time there is no such file to name.
    """
    if state.closed is None:
        return state.ended_because
    run = failed_baseline(state) if state.closed.failed else None
    if run is None:
        return state.closed.reason
    lines = [plain(line, 160) for line in run.detail.splitlines() if line.strip()]
    reason = ": ".join([state.closed.reason, *lines[-1:]])
    log = directory / "experiments" / run.id / "log.txt" if directory is not None else None
    return f"{reason}; {log} holds what it said" if log is not None and log.is_file() else reason


def of_holdout(state: State, holdout: ev.HoldoutMeasured) -> Conclusion:
    """What the one reading of the sealed holdout shows."""
    if champion_is_baseline(state):
        return Conclusion("none", "Nothing beat the baseline beyond the noise: it stays the champion.")
    if holdout.gain is None or holdout.low is None or holdout.high is None:
        runs = count(holdout.n, "pair") + " of closing runs gave a result"
        return Conclusion("none", f"Nothing can be concluded: {runs}, and an interval needs two.")
    unit = plain(state.metric.unit, 30)
    interval = (
        f"(95 % interval {number(holdout.low, 3)} to {number(holdout.high, 3)}, {count(holdout.n, 'fresh seed')} each)"
    )
    size = f"{number(abs(holdout.gain), 3)} {unit}".strip()
    unseen = f"on data nobody tuned on {interval}."
    if holdout.low > 0:
        half = number((holdout.high - holdout.low) / 2, 2)
        gain = f"{number(holdout.gain, 3)} ± {half} {unit}".strip()
        return Conclusion("gain", f"The champion beats the baseline by {gain} {unseen}")
    if holdout.high < 0:
        return Conclusion("loss", f"The champion is worse than the baseline by {size} {unseen}")
    word = "gain" if holdout.gain >= 0 else "loss"
    return Conclusion("none", f"Nothing can be concluded: a {word} of {size} may be noise {unseen}")


def _so_far(state: State) -> str:
    done = progress(state)
    if state.phase == "founding":
        return f"{done.founding[0]} of {done.founding[1]} baseline runs are done"
    runs = f"{done.research[0]} of {done.research[1]} experiments are done"
    by = better_by(state, champion_metric(state), state.baseline_mean)
    if champion_is_baseline(state) or by is None:
        return f"{runs}, and nothing is confirmed to beat the baseline"
    return f"{runs}, and the champion is {by:.1f} sigma better than the baseline on validation data"
