"""The minima and saddles of any landscape, in one call."""

from typing import Any

from bridge.landscape.basin_hopping import Hops, displace
from bridge.landscape.case import Case
from bridge.landscape.explore import Start
from bridge.landscape.graph import Graph
from bridge.landscape.search import Steps
from bridge.protocols import Landscape
from bridge.runs.exploration import explorer_of, raise_lost_climbs, search


def explore(
    problem: Landscape,
    seed: int = 0,
    *,
    searches: int | None = None,
    start: Start | None = None,
    steps: Steps | None = None,
    hops: Hops | None = None,
    workers: int = 1,
    every_index: bool = False,
) -> Graph:
    """Return the minima of a landscape, and the saddles between them, as they were found.

    Parameters
    ----------
    problem
        Any landscape. Its ``move`` and ``symmetric_state`` are used, if it has them, and it may be
        its own `bridge.landscape.identity.Identity`.
    seed
        Of all random numbers.
    searches
        Climbs for saddles; if not given, until as many as half of all, and at least 200, have
        brought nothing new.
    start
        ``start(rng)`` draws a random state, ``(n_dof,)``; by default ``problem.random_state``.
    steps, hops
        How far searches and basin hopping move. The defaults fit systems whose energies and
        variables are of order one, such as clusters of atoms.
    workers
        Processes that climb. With one the graph is the same whenever it is made.
    every_index
        Whether to search stationary points of all indices, for the Morse sum.

    Raises
    ------
    TypeError
        If the problem draws no random state and ``start`` is not given.
    RuntimeError
        If a process has ended.

    Examples
    --------
    Four atoms have one minimum, and one saddle at which two of its images meet:

    >>> from particles import LennardJones
    >>> explore(LennardJones(4), searches=20)
    <Graph: 1 minima, 1 saddles, connected>
    """
    start = start or getattr(problem, "random_state", None)
    if start is None:
        name = type(problem).__name__
        raise TypeError(f"expected a problem with random_state, got {name}: pass start=")
    if hops is None:
        hops = Hops(move=getattr(problem, "move", displace))
    symmetric = getattr(problem, "symmetric_state", None)
    explorer = explorer_of(Case(problem, start, steps or Steps(), hops, symmetric=symmetric), seed)
    graph = Graph(explorer.identity)
    how: dict[str, Any] = {"searches": searches, "workers": workers, "every_index": every_index}
    raise_lost_climbs(search(explorer, graph, graph.absorb, **how))
    return graph
