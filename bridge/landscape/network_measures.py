"""The graph of minima as a network: degrees, clustering, path lengths, assortativity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bridge.landscape.graph import Graph

if TYPE_CHECKING:
    import networkx as nx

_MOST = 2000  # minima up to which the steps of all pairs are counted
_SOURCES = 100  # minima from which they are counted beyond


@dataclass(frozen=True)
class Measures:
    """Measures of the simple graph: several saddles between two minima are one edge, loops none.

    Attributes
    ----------
    minima, edges, components
        Counts.
    mean_degree, largest_degree
        Neighbours of a minimum.
    clustering
        Mean over minima of the fraction of its pairs of neighbours that are neighbours.
    path_length
        Mean number of steps between two minima of the largest part; None for a single one. Of more
        than 2000 minima, from 100 of them to all others.
    assortativity
        Correlation of the degrees at the ends of an edge; None where all degrees are alike.
    degree_energy
        Correlation of degree and energy: negative where low minima are hubs; None as above.
    """

    minima: int
    edges: int
    components: int
    mean_degree: float
    largest_degree: int
    clustering: float
    path_length: float | None
    assortativity: float | None
    degree_energy: float | None


def measures(graph: Graph) -> Measures:
    """Measure the network of minima.

    Raises
    ------
    ValueError
        If there is no minimum.
    """
    import networkx as nx

    if not len(graph.minima):
        raise ValueError("expected at least one minimum, got none: search longer")
    simple = nx.Graph(graph.to_networkx())
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    parts = graph.components()
    degrees = np.array([simple.degree(i) for i in range(len(graph.minima))], dtype=np.float64)
    energies = np.array([point.energy for point in graph.minima])
    ends = np.array([[degrees[a], degrees[b]] for a, b in simple.edges]).reshape(-1, 2)
    both = np.concatenate([ends, ends[:, ::-1]])
    return Measures(
        minima=len(degrees),
        edges=simple.number_of_edges(),
        components=len(parts),
        mean_degree=float(degrees.mean()),
        largest_degree=int(degrees.max()),
        clustering=float(nx.average_clustering(simple)),
        path_length=_path_length(simple, parts[0]),
        assortativity=_correlation(both[:, 0], both[:, 1]),
        degree_energy=_correlation(degrees, energies),
    )


def _path_length(simple: "nx.Graph", part: set[int]) -> float | None:
    import networkx as nx
    from scipy.sparse.csgraph import dijkstra

    if len(part) < 2:
        return None
    nodes = sorted(part)
    steps = nx.to_scipy_sparse_array(simple, nodelist=nodes, weight=None, format="csr")
    sources = np.arange(len(nodes))
    if len(nodes) > _MOST:
        sources = np.random.default_rng(0).choice(len(nodes), _SOURCES, replace=False)
    total = sum(dijkstra(steps, unweighted=True, indices=source).sum() for source in sources)
    return float(total / (len(sources) * (len(nodes) - 1)))


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return Pearson's coefficient, or None where one of the two does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
