"""``jamscape transition``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bridge.cli.options import Shared, add_commands, checking_input, keeping
from bridge.cli.run_commands import draw_beside
from bridge.records.documents import dumps
from bridge.runs.kinds.transition import TransitionRun
from bridge.runs.workers import cores, mapping
from bridge.systems.ranges import check_count

if TYPE_CHECKING:
    from bridge.records.store import Store

_FILE = Path("transition.sqlite")

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Find the load at which networks stop to fit.")
app.add_typer(group, name="transition")


def _transition(system: Any, shared: Shared, **options: Any) -> int:
    from bridge.records.provenance import provenance
    from bridge.records.store import Store
    from bridge.runs import transition_search
    from bridge.runs.pool import Failed
    from bridge.runs.progress import Progress

    out = shared.out or _FILE
    run = TransitionRun(system, (shared.seed,), **options)
    with checking_input():
        run.check_all()
        check_count(run.count(), "networks", shared.most_runs)
        store = Store(out)
    documents = []
    count = shared.workers or cores()
    with keeping(out), store, mapping(count, lost=Failed) as mapper:
        for search in run.searches():
            with Progress(f"transition, {search.system.steps} steps") as progress:
                found = transition_search.find(
                    search, store, progress=progress, workers=count, mapper=mapper
                )
            documents.append(transition_search.as_json(found))
            if not shared.as_json:
                typer.echo(transition_search.as_text(documents[-1]))
        _draw(store, search.system, out, plot=shared.plot)
    if shared.as_json:
        typer.echo(dumps({"transitions": documents, "provenance": provenance()}))
    return 0 if documents[-1]["load"] is not None else 3


def _draw(store: "Store", system: Any, out: Path, *, plot: bool) -> None:
    """Write the figure beside the store: of all protocols by which these networks were tried."""
    from bridge.figures.transition import alike, transition_figure
    from bridge.records.content import parameters
    from bridge.runs.batch import KIND

    found = alike(list(store.records(KIND)), parameters(system))
    draw_beside(out, transition_figure(found), plot=plot)


add_commands(
    group, TransitionRun, _transition, _FILE, "File for records; the figure is put beside it."
)
