"""The searches of ``jamscape landscape``, kept in a file as they end."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.case import Case, LandscapeSystem
from bridge.landscape.completeness import completeness
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import Identity, identity_of
from bridge.landscape.stages import search_all
from bridge.landscape.store import LandscapeStore
from bridge.records.content import data_name, options
from bridge.records.provenance import provenance
from bridge.records.seeds import generator
from bridge.runs.kinds.landscape import moves
from bridge.runs.pool import Failed
from bridge.runs.progress import Report
from bridge.runs.workers import stream_unordered


@dataclass(frozen=True, eq=False)
class Explored:
    """A landscape after its searches."""

    case: Case
    graph: Graph
    observables: list[dict[str, float]]
    seconds: float


def claim(system: LandscapeSystem, seed: int, out: Path) -> None:
    """Make a file that of this landscape, or raise ``ValueError`` if it is that of another one."""
    with LandscapeStore(out) as store:
        _claim(store, system, seed)


def _claim(store: LandscapeStore, system: Any, seed: int) -> None:
    known = {"parameters": options(system), "settings": moves(system)}
    store.claim(system=system.kind, seed=seed, **known)
    store.describe(**data_name(system))


def run_landscape(
    system: LandscapeSystem,
    seed: int,
    *,
    searches: int | None = None,
    out: Path | None = None,
    workers: int = 1,
    progress: Report | None = None,
) -> Explored:
    """Explore a landscape: minimisations, basin hopping, climbs, symmetric states, missing links.

    With ``out`` everything is kept in that file as it is found, and a run that was interrupted, or
    that is given more searches, continues there.

    Parameters
    ----------
    searches
        Climbs for saddles; if not given, until as many as half of all, and at least 200, have
        brought nothing new.
    progress
        Called with the numbers of minima and saddles after each search.

    Raises
    ------
    ValueError
        If an option is wrong, or the file holds another landscape.
    RuntimeError
        In one line, if the process of a search has ended; all others are kept then.
    OSError
        In one line that names the search, if one cannot be kept.
    """
    started = time.perf_counter()
    case = system.case(generator((seed,)))
    explorer = explorer_of(case, seed)
    identity = explorer.identity
    with LandscapeStore(":memory:" if out is None else out) as store:
        _claim(store, system, seed)
        store.describe(**group_of(identity), provenance=provenance())
        graph = store.load(identity)

        def keep(finding: Finding) -> None:
            store.keep(graph, finding)
            if progress is not None:
                progress(len(graph.minima), len(graph.saddles))

        every = case.every_index
        failures = search(
            explorer, graph, keep, searches=searches, workers=workers, every_index=every
        )
        observables = [case.observe(point.x) for point in graph.minima]
        store.observe(dict(enumerate(observables)))
        seconds = float(store.about().get("seconds", 0.0)) + time.perf_counter() - started
        store.describe(seconds=seconds)
    raise_lost_climbs(failures, out)
    return Explored(case, graph, observables, seconds)


# All searches, with the processes of this program; a climb whose process ended is `Failed`.
search = partial(search_all, mapper=stream_unordered, lost=Failed)


def raise_lost_climbs(failures: Sequence[Failed], out: Path | None = None) -> None:
    """Say in one line that processes have ended, and where the other searches are kept.

    Raises
    ------
    RuntimeError
        If any has.
    """
    if failures:
        text = f"{len(failures)} searches failed, climb {failures[0].task}: {failures[0].reason}"
        kept = f"the others are kept in {out}, and the same command goes on"
        raise RuntimeError(text if out is None else f"{text}: {kept}")


def group_of(identity: Identity) -> dict[str, Any]:
    """Return what a record says of the discrete symmetry group: its order, if it has one."""
    order = float(identity.log_group_order)
    if np.isfinite(order):
        return {"log_group_order": order, "images": "counted"}
    images = "infinite" if np.isinf(order) else "not counted: the symmetry group is not known"
    return {"log_group_order": None, "images": images}


def explorer_of(case: Case, seed: int) -> Explorer:
    """Return what searches a landscape of the command line."""
    identity = identity_of(case.problem)
    return Explorer(case.problem, identity, case.start, case.steps, case.hops, seed, case.symmetric)


def landscape_document(system: LandscapeSystem, seed: int, found: Explored) -> dict[str, Any]:
    """Return the document of ``jamscape landscape --json``; a key that does not apply is null."""
    graph = found.graph
    euler = getattr(found.case.problem, "euler_characteristic", None)
    return {
        "system": system.kind,
        "seed": seed,
        "parameters": options(system),
        **data_name(system),
        **group_of(identity_of(found.case.problem)),
        "minima": [
            {"energy": p.energy, "order": p.order, "log_det": p.log_det, "observables": seen}
            for p, seen in zip(graph.minima, found.observables, strict=True)
        ],
        "saddles": [
            {"energy": p.energy, "minima": list(ends), "order": p.order, "log_det": p.log_det}
            for p, ends in zip(graph.saddles, graph.ends, strict=True)
        ],
        "n_minima": len(graph.minima),
        "n_saddles": len(graph.saddles),
        "connected": graph.connected,
        "completeness": asdict(completeness(graph, euler)),
        "seconds": found.seconds,
        "provenance": provenance(),
    }


def landscape_text(document: dict[str, Any]) -> str:
    """Return the same document for reading: the lowest minima and saddles, and the counts."""
    whole = "connected" if document["connected"] else "not connected"
    counts = f"{document['n_minima']} minima, {document['n_saddles']} saddles"
    lines = [f"{document['system']}: {counts}, {whole}"]
    if document["log_group_order"] is None:
        lines.append(f"  {'images':20} {document['images']}")
    known = document["completeness"]
    names = ("estimated_minima", "estimated_saddles", "morse_sum", "expected_morse_sum")
    lines += [f"  {name:20} {known[name]:g}" for name in names if known[name] is not None]
    for kind in ("minima", "saddles"):
        lines.append(f"  lowest {kind}")
        lowest = sorted(document[kind], key=lambda point: float(point["energy"]))[:10]
        for point in lowest:
            seen = "".join(f"  {k} {v:.6g}" for k, v in point.get("observables", {}).items())
            lines.append(f"    {point['energy']:18.9f}  order {point['order']}{seen}")
    lines.append(f"  {'seconds':20} {document['seconds']:.3g}")
    return "\n".join(lines)
