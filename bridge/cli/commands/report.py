"""``jamscape report``."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import checking_input

app = typer.Typer()


@app.command()
def report(
    files: Annotated[list[Path], typer.Argument(help="Stores of runs, and stored landscapes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("lecture.html"),
) -> int:
    """Make one page of stores and landscapes, to look at and to move."""
    from bridge.report import write_report

    with checking_input():
        size = write_report(files, out)
    typer.echo(f"{out}: {size / 1000:.0f} kB, to be opened in a browser")
    return 0
