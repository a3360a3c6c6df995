"""``jamscape collect``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import checking_input

app = typer.Typer()


@app.command()
def collect(
    files: Annotated[list[Path], typer.Argument(help="Files of records, and stored landscapes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .nc, .csv or .parquet.")],
) -> int:
    """Gather the records of many files into one labelled data set."""
    from bridge.report import dataset as collecting

    with checking_input():
        collecting.check(out, files)
        records = collecting.read(files)
        found = collecting.write(records, out)
    sizes = ", ".join(f"{name} {size}" for name, size in found.items())
    typer.echo(f"{len(records)} records of {len(files)} files in {out}: {sizes}")
    return 0
