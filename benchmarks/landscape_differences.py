"""A search for saddles of a network with exact Hessians, against the same one by differences.

    OMP_NUM_THREADS=1 python benchmarks/landscape_differences.py

Ten hidden units on 1000 outcomes of LJAT3: 84 parameters. Seconds are of processor time; the
climbs by differences of energies take a minute.
"""

import time
from dataclasses import replace

import numpy as np
from landscape import explorer_of, until

from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Graph
from bridge.landscape.stationary_points import StationaryPoint
from bridge.systems.classifier import ClassifierLandscape


class Differences:
    """The same energy with derivatives by differences: of energies alone, or of exact gradients.

    From energies: central differences for the gradient, ``2n`` energies; for the Hessian
    ``E(x + h_i + h_j) - E(x + h_i) - E(x + h_j) + E(x)``, the fewest there are, ``n(n + 3)/2``.
    """

    def __init__(self, problem: object, from_energies: bool) -> None:
        self.problem, self.from_energies = problem, from_energies
        self.n_dof = problem.n_dof

    def energy_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if not self.from_energies:
            return self.problem.energy_gradient(x)
        steps = 1e-5 * np.eye(x.size)
        found = [(self.energy(x + h) - self.energy(x - h)) / 2e-5 for h in steps]
        return self.energy(x), np.array(found)

    def hvp(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        if self.from_energies:
            return v @ self.hessian(x)
        step = 1e-5
        rows = [
            self.problem.energy_gradient(x + step * d)[1]
            - self.problem.energy_gradient(x - step * d)[1]
            for d in np.atleast_2d(v)
        ]
        return np.array(rows).reshape(v.shape) / (2 * step)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        n, step = x.size, 1e-4
        steps, found = step * np.eye(n), np.empty((n, n))
        here, ahead = self.energy(x), [self.energy(x + h) for h in steps]
        for i in range(n):
            for j in range(i, n):
                both = self.energy(x + steps[i] + steps[j])
                found[i, j] = found[j, i] = (both - ahead[i] - ahead[j] + here) / step**2
        return found

    def energy(self, x: np.ndarray) -> float:
        """The energy alone: what a search without derivatives would evaluate."""
        net = self.problem
        w2, w1 = net.layers(x)
        _, logp = net._forward(w2, w1)
        return net.l2 * float(x @ x) - float((net._target * logp).sum()) / len(logp)

    def __getattr__(self, name: str) -> object:
        return getattr(self.problem, name)


def network(searches: int = 40) -> None:
    """Ten hidden units on the outcomes of LJAT3: 84 parameters, 1000 patterns."""
    case = ClassifierLandscape(hidden=10, l2=1e-3).case(np.random.default_rng(0))
    explorer, graph = explorer_of(case)
    until(graph, explorer.quenches(range(3)), lambda: False)
    minima = list(graph.minima)
    begin = time.process_time()
    until(graph, explorer.climbs(graph, range(searches)), lambda: False)
    spent = time.process_time() - begin
    met = sum(s.saddle is not None for s in graph.searches)
    print(
        f"network of {case.problem.n_dof} parameters: {met} certified saddles "
        f"({len(graph.saddles)} distinct) of {searches} climbs in {spent:.1f} s: "
        f"{met / spent:.2f} a second",
        flush=True,
    )
    for from_energies, count in ((False, 6), (True, 2)):
        name = "energies" if from_energies else "exact gradients"
        other = Differences(case.problem, from_energies)
        exact, same = climbs(explorer, minima, count)
        slow, found = climbs(replace(explorer, problem=other), minima, count)
        gaps = [abs(a - b) for a, b in zip(same, found, strict=True) if a and b]
        print(
            f"  the same {count} climbs with differences of {name}: {slow:.1f} s, exact "
            f"{exact:.2f} s, {slow / exact:.0f} times as long; "
            f"{sum(gap < 1e-6 for gap in gaps)} of {count} end at the same saddle",
            flush=True,
        )


def climbs(
    explorer: Explorer, minima: list[StationaryPoint], count: int
) -> tuple[float, list[float | None]]:
    """Climb from known minima; return processor time and the energy of each saddle, or None."""
    graph = Graph(explorer.identity)
    for point in minima:
        graph.minima.number(point)
    energies, begin = [], time.process_time()
    for finding in explorer.climbs(graph, range(count)):
        graph.absorb(finding)
        energies.append(None if finding.saddle is None else finding.saddle.energy)
    return time.process_time() - begin, energies


if __name__ == "__main__":
    network()
