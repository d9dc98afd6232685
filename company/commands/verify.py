"""`loopworks verify`: is a run's record whole and unaltered?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from company.commands.inputs import need_runs
from company.exits import Exit

if TYPE_CHECKING:
    from company.verifying import Fault, Verified

SHOWN = 20  # faults in a terminal; --json has them all


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--expect", metavar="DIGEST", help="A digest that you kept of this run: 64 hex digits.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def verify(directory: Path, expect: str | None, as_json: bool) -> None:
    """Compute every digest of the run in DIRECTORY anew and say whether its record is whole and unaltered.

    Nothing in it is changed, and a run at work may be looked at. Ends with 1 if something differs, 2 if there is no
    ledger. docs/durability.md says what this proves and what it does not.
    """
    from company.ledger import LedgerError
    from company.verifying import verify as look

    if expect is not None and not (len(expect) == 64 and set(expect.lower()) <= set("0123456789abcdef")):
        raise click.UsageError("--expect takes a whole digest: 64 hex digits, as reports and --json show it")
    need_runs([directory])
    try:
        found = look(directory, expect.lower() if expect else None)
    except LedgerError as error:
        click.echo(str(error), err=True)
        sys.exit(Exit.FAILED)
    if as_json:
        click.echo(json.dumps(_data(found)))
    else:
        _show(found)
    sys.exit(Exit.DONE if found.whole else Exit.FAILED)


def _data(found: Verified) -> dict[str, object]:
    return {
        "run_dir": str(found.directory),
        "whole": found.whole,
        "live": found.live,
        "events": found.events,
        "digest": found.digest,
        "anchor": asdict(found.anchor) if found.anchor else None,
        "checked": dict(found.checked),
        "notes": list(found.notes),
        "faults": [asdict(fault) for fault in found.faults],
    }


def _show(found: Verified) -> None:
    from company.wording import count, plain

    verdict = "whole and unaltered" if found.whole else "NOT as it was recorded"
    click.echo(f"{plain(found.directory, 400)}: {verdict}{', so far: an engine works on it' if found.live else ''}")
    for fault in found.faults[:SHOWN]:
        click.echo(f"  {_line(fault)}")
    if len(found.faults) > SHOWN:
        click.echo(f"  and {len(found.faults) - SHOWN} more: --json has them all")
    click.echo(f"  looked at: {', '.join(f'{n} {plain(what, 40)}' for what, n in found.checked.items())}")
    if found.anchor is not None:
        click.echo(f"  anchored at event {found.anchor.events}")
    for note in found.notes:
        click.echo(f"  {plain(note, 300)}")
    click.echo(f"  digest after {count(found.events, 'event')}: {found.digest}")
    if found.whole:
        click.echo(
            "  who can write here can write all of it anew: keep the digest elsewhere, and compare with --expect"
        )


def _line(fault: Fault) -> str:
    from company.wording import plain

    kind = f" ({plain(fault.kind, 40)})" if fault.kind else ""
    return f"{plain(fault.place, 100)}{kind}: {plain(fault.what, 300)}"
