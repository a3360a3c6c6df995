"""``jamscape show``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import checking_input

app = typer.Typer()

_FORMATS = (".png", ".pdf", ".svg")


@app.command()
def show(
    path: Annotated[Path, typer.Argument(help="Folder of --out, a store, or a landscape.")],
    run: Annotated[
        str | None, typer.Argument(help="One run of a store: its number from 0, or its key.")
    ] = None,
    mode: Annotated[
        int | None, typer.Option(help="Of a packing: this mode of H as arrows, 1 the softest.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data of a network, if in a file.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Figure: .png, .pdf or .svg; beside the store if unset."),
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="Open it as well.")] = False,
) -> int:
    """Draw what a command has kept: states, comparisons, transitions, avalanches, landscapes."""
    from bridge.figures.style import save
    from bridge.report.show import show
    from bridge.systems.system import expect

    with checking_input():
        if out is not None:
            formats = ", ".join(_FORMATS)
            expect(out.suffix in _FORMATS, f"a name in {formats}", out, "name another")
        figure, beside = show(path, run, data=data, mode=mode)
        out = beside if out is None else out
        save(figure, out, (out.suffix,))
    typer.echo(f"figure: {out}")
    if opened:
        typer.launch(str(out))
    return 0
