"""`loopworks run`: found a company and let it work, or resume one that stopped."""

from __future__ import annotations

import json
import re
import sys
import traceback
from pathlib import Path
from typing import Any, Literal

import click

from company.exits import Exit

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType):
    """Seconds, or a number with s, m or h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value).strip())
        if not found or float(found[1]) <= 0:
            self.fail(f"{value!r} is not a duration: write 90s, 10m or 2h", param, ctx)
        return float(found[1]) * UNITS[found[2]]


@click.command()
@click.argument("chart", default="startup")
@click.option("--project", default="byte_lm", show_default=True, help="A shipped project's name, or a path.")
@click.option("--experiments", type=click.IntRange(min=1), help="Training runs of research, instead of the chart's.")
@click.option("--budget", type=Duration(), help="Time of research on every slot (90s, 10m, 2h), instead.")
@click.option("--seed", type=click.IntRange(min=0, max=2**31 - 1), default=0, show_default=True,
              help="Of all that is drawn at random.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The run directory; a new one under runs/ otherwise.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with the run in this directory.")
@click.option("--talent", type=click.Path(path_type=Path), help="Candidates with records, beside the chart's pool.")
@click.option("--memory", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="Try first what did best "
              "in the run in DIR, of this project or another; may be repeated.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1, 1024), help="Experiments at a time; found by themselves otherwise.")
@click.option("--per-gpu", type=click.IntRange(1, 64), default=1, show_default=True, help="Slots on each GPU.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where experiments run; auto takes GPUs where there are any.")  # fmt: skip
@click.option("--compute", type=click.Choice(["local", "ray"]), help="Experiments on this machine, or on a Ray "
              "cluster.  [default: local]")  # fmt: skip
@click.option("--ray-address", metavar="HOST:PORT", help="The cluster's head node, seen from one of its nodes; without "
              "it Ray is started on this machine.")  # fmt: skip
@click.option("--sandbox", type=click.Choice(["auto", "strict", "standard", "degraded", "none"]), default="auto",
              show_default=True, help="What keeps training code in; auto takes the best there is.")  # fmt: skip
@click.option("--allow-unsandboxed", is_flag=True, help="Run code that a language model wrote without a sandbox, too.")
@click.option("--engine", type=click.Choice(["autogen", "direct"]), default="autogen", show_default=True,
              help="Agents behind AutoGen, or their policies called directly: the same events.")  # fmt: skip
@click.option("--deterministic", is_flag=True, help="The same history every time, on several slots too.")
@click.option("--offline", is_flag=True, help="Ask no language model: optimisers decide where the chart has one.")
@click.option("--playback", type=click.Path(path_type=Path), metavar="DIR", help="Give the models' answers of the run "
              "in DIR again, without network.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
@click.option("--plain", is_flag=True, help="Plain lines instead of the live display.")
@click.option("--tui", "dashboard", is_flag=True, help="With the dashboard; leaving it stops nothing unasked.")
@click.option("--debug", is_flag=True, help="Show where an unexpected error came from.")
def run(
    chart: str, project: str, experiments: int | None, budget: float | None, seed: int, out: Path | None,
    resume: Path | None, talent: Path | None, memory: tuple[Path, ...], slots: int | None, per_gpu: int,
    device: Literal["auto", "cpu", "cuda"],
    compute: Literal["local", "ray"] | None, ray_address: str | None,
    sandbox: Literal["auto", "strict", "standard", "degraded", "none"], allow_unsandboxed: bool,
    engine: Literal["autogen", "direct"], deterministic: bool, offline: bool, playback: Path | None, as_json: bool,
    plain: bool, dashboard: bool, debug: bool,
) -> None:  # fmt: skip
    """Found a company by an org chart and let it do research on a project.

    CHART is a file or the bare name of a shipped chart: startup, solo, flat, lab, committee, turnaround, models.
    """
    if experiments is not None and budget is not None:
        raise click.UsageError("--experiments and --budget are two ways to say the same: give one of them")
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in its own directory: leave --out away")
    if ray_address is not None and compute != "ray" and (compute or resume is None):
        raise click.UsageError("--ray-address is for --compute ray: give both")
    if resume is not None and talent is not None:
        raise click.UsageError("--resume goes on with its own talent pool: leave --talent away")
    if resume is not None and memory:
        raise click.UsageError("--resume goes on with what it began with: leave --memory away")
    if offline and playback is not None:
        raise click.UsageError("--offline asks no model and --playback answers for them: give one of them")
    if dashboard and (as_json or plain):
        raise click.UsageError("--tui shows a company, --json and --plain print it: give one of them")
    from company.commands.inputs import need_recording, need_runs
    from company.directory import RunDirectory, next_directory

    need_runs([*memory, *([resume] if resume else [])])
    if playback is not None:
        need_recording(playback)
    folder = resume or out or next_directory(Path("runs"), Path(chart).stem, Path(project).name)
    if dashboard:
        from company.commands.run_tui import attend, words_of
        from company.commands.tui import has_screen

        if has_screen():
            words = words_of(click.get_current_context(), ("dashboard", "out"))
            sys.exit(attend(["run", *([] if resume else [f"--out={folder}"]), *words], folder))
    from company.run import Plan

    plan = Plan(
        RunDirectory(folder), chart, project, experiments, budget, seed, slots, per_gpu, device, engine, deterministic,
        resume is not None, talent, memory, compute, ray_address, offline, playback,
        sandbox, allow_unsandboxed,
    )  # fmt: skip
    sys.exit(_run(plan, as_json, plain or dashboard, debug))


def _run(plan: Any, as_json: bool, plain: bool, debug: bool) -> Exit:
    """Carry a plan out before a person's eyes; every error is a line, and what was recorded stays."""
    from company.chart_problems import ChartError
    from company.compute.backend import ComputeError
    from company.compute.ray_cluster import RayMissing
    from company.compute.sandbox.probe import SandboxError
    from company.compute.slots import NoDevice
    from company.directory import DirectoryError
    from company.ledger import LedgerError
    from company.models import ModelError
    from projects.load import ProjectError
    from roles.brains.llm.exchanges import Diverged
    from roles.brains.llm.models import ModelsGone
    from roles.brains.llm.redact import Redactor

    try:
        return _show(plan, as_json, plain)
    except (ChartError, ProjectError) as error:
        return _say(str(error), Exit.USAGE)
    except (RayMissing, SandboxError, NoDevice) as error:
        return _say(f"loopworks: {error}", Exit.USAGE)
    except (ModelsGone, Diverged) as error:
        return _say(f"{error}{_resumable(plan)}", Exit.FAILED)
    except (DirectoryError, LedgerError, ComputeError, ModelError) as error:
        return _say(str(error), Exit.FAILED)
    except KeyboardInterrupt:
        return _say(f"interrupted{_resumable(plan)}", Exit.INTERRUPTED)
    except Exception as error:
        redactor = Redactor.of_environment()
        if debug:
            click.echo(redactor.text(traceback.format_exc()), err=True)
        hint = "" if debug else "; --debug shows where"
        said = redactor.text(str(error))
        return _say(f"unexpected {type(error).__name__}: {said}{_resumable(plan)}{hint}", Exit.FAILED)


def _show(plan: Any, as_json: bool, plain: bool) -> Exit:
    from rich.console import Console

    from company.console import RunConsole
    from company.run import execute

    talk = Console(stderr=True)
    if not (plan.resume or plan.offline or plan.playback):
        _name_models(plan.chart)
    with RunConsole(talk, plain=plain or not talk.is_terminal) as display:
        state = execute(plan, display.on_step)
    from company.report import close_run
    from company.summary import summary

    close_run(plan.directory.path, talk)
    if as_json:
        click.echo(json.dumps(summary(plan.directory.path), allow_nan=False))
    if state.closed is None:
        return _say(f"stopped{_resumable(plan)}", Exit.INTERRUPTED)
    if state.closed.failed:
        from company.conclusion import why_ended

        return _say(f"the company could not work: {why_ended(state, plan.directory.path)}", Exit.FAILED)
    return Exit.DONE


def _name_models(chart: str) -> None:
    """Whom the company will ask, with which key, before it does."""
    from company.chart_yaml import load_chart
    from company.models import lines

    for line in lines(load_chart(chart)):
        click.echo(f"models: {line}", err=True)


def _resumable(plan: Any) -> str:
    return f"; go on with: loopworks run --resume {plan.directory.path}" if plan.directory.ledger.is_file() else ""


def _say(line: str, code: Exit) -> Exit:
    click.echo(f"loopworks: {line}" if code is not Exit.USAGE else line, err=True)
    return code
