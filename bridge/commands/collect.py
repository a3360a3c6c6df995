"""``jamscape collect``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.options import checking_input

app = typer.Typer()


@app.command()
def collect(
    files: Annotated[list[Path], typer.Argument(help="Files of records, and stored landscapes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="netCDF file to write.")],
) -> int:
    """Gather the records of many files into one labelled data set."""
    from bridge import collect as collecting

    with checking_input():
        if out.resolve() in [file.resolve() for file in files]:
            raise ValueError(f"expected a new file for -o, got one to collect, {out}: name another")
        records = collecting.read(files)
        found = collecting.dataset(records)
        collecting.write(found, out)
    sizes = ", ".join(f"{name} {size}" for name, size in found.sizes.items())
    typer.echo(f"{len(records)} records of {len(files)} files in {out}: {sizes}")
    return 0
