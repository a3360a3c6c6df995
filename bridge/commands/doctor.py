"""``jamscape doctor``."""

import json

import typer

from bridge.options import AsJson

app = typer.Typer()


@app.command()
def doctor(as_json: AsJson = False) -> int:
    """Show versions, threads and caches, and say what is missing."""
    from bridge.provenance import provenance

    found = provenance()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            typer.echo(f"{name:10} {'missing' if value is None else value}")
    return 0
