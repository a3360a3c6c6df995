"""Rates between minima by transition-state theory, and what follows from them.

    k_{a→b} = Σ_t (o_a/o_t) (1/2π) Π ω_a / Π' ω_t · exp[-β(V_t - V_a)],

summed over every transition state ``t`` between ``a`` and ``b``; the second product leaves the
imaginary frequency out.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from bridge.landscape.graph import Graph
from bridge.landscape.thermodynamics import log_weights
from bridge.protocols import Indices, Vector


@dataclass(frozen=True, eq=False)
class Rates:
    """Rate constants and equilibrium probabilities at one temperature.

    Attributes
    ----------
    constants : (n, n)
        ``k[a, b]``, from ``a`` to ``b`` per unit of time; the diagonal is zero. Detailed balance
        holds: ``k[a, b] p[a] = k[b, a] p[b]``.
    equilibrium : (n,)
        ``p``.
    """

    constants: Vector
    equilibrium: Vector

    @property
    def escape(self) -> Vector:
        """Total rate out of each minimum, ``(n,)``."""
        return np.asarray(self.constants.sum(axis=1))

    @property
    def branching(self) -> Vector:
        """Probability ``P[a, b]`` that the next minimum after ``a`` is ``b``, ``(n, n)``."""
        return np.asarray(self.constants / self.escape[:, None])


def rates(graph: Graph, temperature: float, *, overdamped: bool = False) -> Rates:
    """Return the rates of transition-state theory between the minima of a graph.

    Rearrangements of a minimum into its own image change nothing and are left out.

    Parameters
    ----------
    overdamped
        Whether the motion is ``dx = -∇V dt + √(2T) dW``, a descent with noise, instead of Newton's:
        each saddle counts ``|λ|^½`` times as much, ``λ`` its negative eigenvalue.

    Raises
    ------
    ValueError
        If the temperature is not positive.

    References
    ----------
    Of strong friction: H. A. Kramers, Physica 7, 284 (1940); P. Hänggi et al., Rev. Mod. Phys. 62,
    251 (1990).
    """
    if not temperature > 0:
        raise ValueError(f"expected a temperature T > 0, got {temperature}: pass a positive number")
    wells = log_weights(graph.minima.points, temperature)
    passes = log_weights(graph.saddles.points, temperature)
    if overdamped:
        passes = passes + 0.5 * np.log([-saddle.lowest for saddle in graph.saddles])
    constants = np.zeros((len(wells), len(wells)))
    for (a, b), log_pass in zip(graph.ends, passes, strict=True):
        if a != b:
            for start, end in ((a, b), (b, a)):
                constants[start, end] += np.exp(log_pass - wells[start])
    constants *= temperature / (2 * np.pi)
    weights = np.exp(wells - wells.max())
    return Rates(constants, weights / weights.sum())


def mean_first_passage(found: Rates, targets: Indices) -> Vector:
    """Return the mean time to reach any of ``targets`` from each minimum, ``(n,)``, exactly.

    Graph transformation: a minimum ``x`` is removed by sending what passes through it on to its
    neighbours, ``P_ab += P_ax P_xb / (1 - P_xx)`` and ``τ_a += P_ax τ_x / (1 - P_xx)``. Nothing is
    subtracted, because ``1 - P_xx`` is summed as the probability to leave: rates that differ by a
    hundred orders of magnitude do no harm. Minima without a path to a target have infinity.

    References
    ----------
    D. J. Wales, J. Chem. Phys. 130, 204111 (2009).
    """
    n = len(found.equilibrium)
    targets = np.atleast_1d(targets)
    if targets.size == 0 or targets.min() < 0 or targets.max() >= n:
        raise ValueError(
            f"expected targets among the minima 0..{n - 1}, got {targets.tolist()}: name others"
        )
    times = np.full(n, np.inf)
    times[targets] = 0.0
    back = csr_array(found.constants.T)
    hops = dijkstra(back, indices=targets, unweighted=True, min_only=True)
    inside = np.setdiff1d(np.flatnonzero(np.isfinite(hops)), targets)
    rate = found.constants
    escape = rate[inside].sum(axis=1)
    # Rows: minima on the way. Columns: the same, then one for all targets.
    step = np.empty((inside.size, inside.size + 1))
    step[:, :-1] = rate[np.ix_(inside, inside)] / escape[:, None]
    step[:, -1] = rate[np.ix_(inside, targets)].sum(axis=1) / escape
    waits = 1.0 / escape
    times[inside] = _eliminate(step, waits)
    return times


def _eliminate(step: Vector, waits: Vector) -> Vector:
    """Remove minima from the last to the first, then read their times back in the other order."""
    n = len(waits)
    target = step.shape[1] - 1
    others = np.r_[0:target]
    for x in range(n - 1, -1, -1):
        left = np.r_[others[:x], target]
        leave = step[x, left].sum()
        step[x, left] /= leave
        waits[x] /= leave
        back = step[:x, x]
        waits[:x] += back * waits[x]
        step[np.ix_(range(x), left)] += np.outer(back, step[x, left])
        # What returns to itself, step[a, a], is kept: it is summed away when ``a`` is removed.
    times = np.zeros(n)
    for x in range(n):
        times[x] = waits[x] + step[x, :x] @ times[:x]
    return times


def relaxation_spectrum(found: Rates) -> Vector:
    """Return the eigenvalues of the master equation, ascending from 0: relaxation rates, ``(n,)``.

    ``dp_b/dt = Σ_a k[a, b] p_a - p_b Σ_a k[b, a]`` is symmetric once it is scaled by ``√p``.
    There is one zero for each disconnected part.
    """
    flows = np.sqrt(found.constants * found.constants.T)
    values = np.linalg.eigvalsh(np.diag(found.escape) - flows)
    return np.asarray(np.maximum(values, 0.0))


@dataclass(frozen=True)
class Pathway:
    """Minima in order, and the transition states between them: one fewer."""

    minima: tuple[int, ...]
    saddles: tuple[int, ...]


def fastest_path(graph: Graph, temperature: float, start: int, end: int) -> Pathway | None:
    """Return the path that contributes most to the rate from ``start`` to ``end``, or None.

    It maximises the product of the branching probabilities: the shortest path for the weights
    ``-ln P_ab`` (Dijkstra). Between two minima the saddle that carries most is named.
    """
    found = rates(graph, temperature)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = -np.log(found.branching)
    # A certain step has weight 0, which a sparse graph would take for no edge.
    weights = np.where(found.constants > 0, np.maximum(weights, 1e-300), 0.0)
    _, before = dijkstra(csr_array(weights), indices=start, return_predecessors=True)
    minima = [end]
    while minima[-1] != start:
        if before[minima[-1]] < 0:
            return None
        minima.append(int(before[minima[-1]]))
    minima.reverse()
    log_passes = log_weights(graph.saddles.points, temperature)
    saddles = [_best(graph, log_passes, {a, b}) for a, b in pairwise(minima)]
    return Pathway(tuple(minima), tuple(saddles))


def energy_profile(graph: Graph, path: Pathway) -> Vector:
    """Return the energies of minimum, saddle, minimum, ... along a path."""
    profile = np.empty(len(path.minima) + len(path.saddles))
    profile[::2] = [graph.minima[i].energy for i in path.minima]
    profile[1::2] = [graph.saddles[i].energy for i in path.saddles]
    return profile


def _best(graph: Graph, log_passes: Vector, pair: set[int]) -> int:
    between = [i for i, ends in enumerate(graph.ends) if set(ends) == pair]
    return max(between, key=lambda i: float(log_passes[i]))
