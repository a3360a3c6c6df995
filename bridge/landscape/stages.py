"""An exploration from start to end: one stage of searches after another, and when to stop.

Minimisations from random states, basin hopping, climbs, symmetric states, bands between minima
that are not connected, and stationary points of every index if they are asked for.
"""

from collections.abc import Callable

from bridge.landscape.connect import connect_all
from bridge.landscape.explore import ClimbMapper, Explorer, Lost
from bridge.landscape.graph import Finding, Graph

_PATIENCE = 200  # climbs without a new saddle, at least, before a search without a limit ends
_SYMMETRIC = 500  # walks from symmetric states in a search without a limit
_BANDS = 50  # bands between minima that are not connected
_MOST = 100_000  # climbs of a search without a limit


def search_all(
    explorer: Explorer,
    graph: Graph,
    keep: Callable[[Finding], object],
    *,
    mapper: ClimbMapper,
    lost: Callable[[int, str], Lost],
    searches: int | None = None,
    workers: int = 1,
    every_index: bool = False,
) -> list[Lost]:
    """Do what has not been done yet of each stage; return the climbs whose process ended.

    Parameters
    ----------
    keep
        Called with each finding; it has to absorb it into ``graph``.
    mapper, lost
        How several processes climb, and ``lost(number, reason)``, what stands for a climb whose
        process has ended.
    searches
        Climbs for saddles; if not given, until as many as half of all, and at least 200, have
        brought nothing new.
    workers
        Processes that climb.
    every_index
        Whether stationary points of all indices are searched, for the Morse sum.
    """
    n_quenches = 20 if searches is None else max(10, min(200, searches // 10))
    for finding in explorer.quenches(_left(graph, "quench", n_quenches)):
        keep(finding)
    for finding in explorer.hopping(_left(graph, "hop", max(1, n_quenches // 10))):
        keep(finding)
    if not len(graph.minima):
        return []
    failures = _climb(explorer, graph, searches, workers, keep, mapper, lost)
    n_symmetric = _SYMMETRIC if searches is None else searches // 4
    for finding in explorer.symmetric_saddles(graph, _left(graph, "symmetric", n_symmetric)):
        keep(finding)
    bands = _BANDS if searches is None else min(_BANDS, searches // 10)
    for finding in connect_all(explorer, graph, _left(graph, "connect", bands)):
        keep(finding)
    if every_index:
        n_modes = graph.minima[0].n_modes
        for number in _left(graph, "critical", 20 * (n_modes + 1) ** 2):
            index = number % (n_modes + 1)
            for finding in explorer.critical_points(graph, [number], index):
                keep(finding)
    return failures


def _climb(
    explorer: Explorer,
    graph: Graph,
    searches: int | None,
    workers: int,
    keep: Callable[[Finding], object],
    mapper: ClimbMapper,
    lost: Callable[[int, str], Lost],
) -> list[Lost]:
    """Climb from the minima, a batch at a time, until enough was done or nothing new comes."""
    limit = _MOST if searches is None else searches
    size = 200 * workers if workers > 1 else 50 if searches is None else limit
    failures: list[Lost] = []
    failed: set[int] = set()

    def give_up(number: int, reason: str) -> Lost:
        failed.add(number)
        return lost(number, reason)

    while searches is not None or not _is_flat(graph):
        batch = [number for number in _left(graph, "climb", limit) if number not in failed][:size]
        if not batch:
            break
        if workers == 1:
            for finding in explorer.climbs(graph, batch):
                keep(finding)
            continue
        for result in explorer.climbs_in_parallel(graph, batch, workers, mapper, give_up):
            if isinstance(result, Finding):
                keep(result)
            else:
                failures.append(result)
    return failures


def _is_flat(graph: Graph) -> bool:
    """Tell whether the last half of all climbs, and 200 at least, met nothing new."""
    statuses = [s.status for s in graph.searches if s.stage == "climb"]
    last = max(_PATIENCE, len(statuses) // 2)
    return len(statuses) >= last and "new" not in statuses[-last:]


def _left(graph: Graph, stage: str, limit: int) -> list[int]:
    """Return the numbers of a stage that have not been done: processes leave gaps among them."""
    done = {search.number for search in graph.searches if search.stage == stage}
    return [number for number in range(limit) if number not in done]
