"""``jamscape doctor``."""

import typer

from bridge.cli.options import AsJson
from bridge.records.documents import dumps

app = typer.Typer()


@app.command()
def doctor(as_json: AsJson = False) -> int:
    """Show versions, threads and caches, and say what is missing."""
    from bridge.cli.diagnosis import diagnose, diagnosis_text

    found = diagnose()
    typer.echo(dumps(found) if as_json else diagnosis_text(found))
    return 0
