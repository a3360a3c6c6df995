"""``jamscape jam``: a command for each system."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import (
    STALLED,
    AsJson,
    OutFolder,
    Seed,
    add_commands,
    checking_input,
    make_folder,
)
from bridge.records.documents import dumps
from bridge.systems import SYSTEMS, System
from bridge.systems.system import check_use

app = typer.Typer(name="jam", help="Bring one system to a minimum and measure it.")


def _jam(
    system: System, *, seed: int, exact: bool, spectrum: bool, out: Path | None, as_json: bool
) -> int:
    from bridge.runs import jam

    with checking_input():
        check_use(system, exact=exact, spectrum=spectrum)
        make_folder(out)
    found = jam.run_jam(system, seed, exact=exact, with_spectrum=spectrum)
    document = jam.as_json(system, seed, found)
    if out is not None:
        jam.write(found, document, out)
    typer.echo(dumps(document) if as_json else jam.as_text(document))
    return STALLED if found.state.status == "stalled" else 0


add_commands(
    app,
    SYSTEMS,
    _jam,
    {
        "seed": (0, Seed),
        "exact": (False, Annotated[bool, typer.Option("--exact", help="Go to the jamming point.")]),
        "spectrum": (False, Annotated[bool, typer.Option("--spectrum", help="Diagonalise H.")]),
        "out": (None, OutFolder),
        "as_json": (False, AsJson),
    },
)
