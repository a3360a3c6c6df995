"""Landscapes against the numbers asked for, and against pele and topsearch.

    OMP_NUM_THREADS=1 python benchmarks/landscape.py [lj7 lj8 xor force minima spins descents lj13]
    OMP_NUM_THREADS=1 python benchmarks/landscape.py peers PEERS PELE_PYTHON TOPSEARCH_PYTHON

``PEERS`` is the folder with landscape_pele.py and landscape_topsearch.py; the other two are the
interpreters of environments that have these programs. Seconds are of processor time, after
compilation; ``lj13`` takes ten minutes.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bridge import explore
from bridge.claims import glass
from bridge.landscape.basin_hopping import Hops, basin_hopping
from bridge.landscape.case import Case
from bridge.landscape.completeness import morse_sum
from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Finding, Graph
from bridge.runs import exploration as landscape_run
from bridge.systems.cluster import LennardJonesLandscape
from bridge.systems.module_landscape import ModuleLandscape
from networks.models.module_loss import ModuleLoss
from particles.landscapes.clusters import LennardJones
from particles.landscapes.spin_glass import SphericalSpinGlass

LISTED = {13: -44.326801, 19: -72.659782, 26: -108.315616, 38: -173.928427}


def explorer_of(case: Case, seed: int = 0) -> tuple[Explorer, Graph]:
    found = landscape_run.explorer_of(case, seed)
    return found, Graph(found.identity)


def until(graph: Graph, findings: Iterator[Finding], done: Callable[[], bool]) -> None:
    for finding in findings:
        graph.absorb(finding)
        if done():
            return


def warm_up(n: int) -> None:
    explorer, graph = explorer_of(LennardJonesLandscape(n).case(np.random.default_rng(0)), 99)
    until(graph, explorer.quenches(range(3)), lambda: False)
    until(graph, explorer.climbs(graph, range(5)), lambda: False)


def whole(n: int, minima: int, saddles: int, limit: float) -> None:
    """Processor time to the last minimum and saddle, over five seeds."""
    warm_up(n)
    taken = []
    for seed in range(5):
        explorer, graph = explorer_of(LennardJonesLandscape(n).case(np.random.default_rng(0)), seed)
        begin = time.process_time()

        def complete(graph: Graph = graph) -> bool:
            return (len(graph.minima), len(graph.saddles)) == (minima, saddles)

        until(graph, explorer.quenches(range(10)), complete)
        until(graph, explorer.climbs(graph, range(5000)), complete)
        taken.append(time.process_time() - begin)
        assert complete(), f"LJ{n}, seed {seed}: {len(graph.minima)}/{len(graph.saddles)}"
    shown = ", ".join(f"{t:.2f}" for t in taken)
    print(f"LJ{n}: all {minima} minima and {saddles} saddles in {shown} s (asked: < {limit} s)")


def force(n: int = 38) -> None:
    problem = LennardJones(n)
    x = problem.random_state(np.random.default_rng(0))
    best = np.inf
    for _ in range(20):
        begin = time.process_time()
        for _ in range(2000):
            problem.energy_gradient(x)
        best = min(best, (time.process_time() - begin) / 2000)
    print(f"LJ{n}: energy and gradient in {best * 1e6:.2f} µs (asked: < 4 µs)")


def global_minima(limit: float = 600.0, seeds: int = 5) -> None:
    """Basin hopping from random states, begun anew every 2000 moves, until the listed energy."""
    for n, listed in LISTED.items():
        for seed in range(seeds):
            begin, best, moves, run = time.process_time(), 0.0, 0, 0
            while best > listed + 1e-5 and time.process_time() - begin < limit:
                run += 1
                lowest, done = one_run(LennardJones(n), listed, np.random.default_rng([seed, run]))
                best, moves = min(best, lowest), moves + done
            print(
                f"LJ{n}, seed {seed}: {best:.6f} (listed {listed}) after {moves} minimisations in "
                f"{run} runs, {time.process_time() - begin:.1f} s",
                flush=True,
            )


def one_run(problem: LennardJones, listed: float, rng: np.random.Generator) -> tuple[float, int]:
    """Return the lowest energy of a run that ends at the listed one, and its minimisations."""
    moves, best = 0, 0.0

    def move(x: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
        nonlocal moves
        moves += 1
        return problem.move(x, size, rng)

    hops = Hops(count=2000, temperature=0.8, move=move, records_only=True)
    for point in basin_hopping(problem, problem, problem.random_state(rng), hops, rng):
        best = min(best, point.energy)
        if best <= listed + 1e-5:
            break
    return best, moves + 1


def lj13(limit: float = 600.0) -> None:
    warm_up(13)
    case = LennardJonesLandscape(13).case(np.random.default_rng(0))
    explorer, graph = explorer_of(case)
    begin = time.process_time()
    until(graph, explorer.quenches(range(30)), lambda: False)
    until(graph, explorer.hopping(range(3)), lambda: False)
    until(
        graph,
        explorer.climbs(graph, range(10**7)),
        lambda: time.process_time() - begin > limit,
    )
    lowest = min(point.energy for point in graph.minima)
    print(
        f"LJ13: {len(graph.minima)} minima and {len(graph.saddles)} saddles in {limit:.0f} s, "
        f"lowest {lowest:.6f} (asked: >= 1000 minima; known: about 1510 and 28756)"
    )


def spins(samples: int = 1000) -> None:
    """Critical points of the spherical 3-spin glass with 2 and 3 spins, against their means."""
    for n, mean, whole in ((2, 2 * np.sqrt(7), 100), (3, 10.45, 100)):
        rng, counts = np.random.default_rng(n), []
        for _ in range(samples):
            glass = SphericalSpinGlass.random(n, 3, rng)
            graph = minima_of(glass)
            # H(-w) = -H(w): as many maxima; saddles between them by Euler, on a circle or a sphere.
            counts.append(2 * len(graph.minima) if n == 2 else 4 * len(graph.minima) - 2)
        error = np.std(counts) / np.sqrt(samples)
        short = sum(not every_index(glass_of(n, k)) for k in range(whole))
        print(
            f"{n} spins: {np.mean(counts):.3f} ± {error:.3f} critical points (known: {mean:.4f}), "
            f"at most {max(counts)} (bound: {2 * (2**n - 1)}); every index searched in {whole} "
            f"glasses: wrong Morse sum or count in {short}",
            flush=True,
        )


def descents(samples: int = 12) -> None:
    """Where steepest descent ends, over sizes: a glass that has a threshold, and digits."""
    for n in (10, 20, 40, 80):
        rng = np.random.default_rng([0, n])
        ends = np.array([glass.spins(rng, n=n).values["energy"] for _ in range(samples)])
        print(
            f"3-spin glass, N = {n}: {np.nanmean(ends):.3f} ± {np.nanstd(ends, ddof=1):.3f} "
            f"per spin (threshold {glass.THRESHOLD_ENERGY:.3f})",
            flush=True,
        )
    for hidden in (5, 10, 20):
        rng = np.random.default_rng([1, hidden])
        runs = [glass.digits(rng, hidden=hidden, patterns=300) for _ in range(samples)]
        ends = np.array([run.values["energy"] for run in runs])
        shown = f"{np.nanmean(ends):.3f} ± {np.nanstd(ends, ddof=1):.3f}"
        print(f"digits, {hidden} hidden units: {shown}", flush=True)


def glass_of(n: int, number: int) -> SphericalSpinGlass:
    return SphericalSpinGlass.random(n, 3, np.random.default_rng([n, number]))


def minima_of(glass: SphericalSpinGlass, starts: int = 20) -> Graph:
    explorer, graph = Explorer(glass, glass, glass.random_state), Graph(glass)
    until(graph, explorer.quenches(range(starts)), lambda: False)
    return graph


def every_index(glass: SphericalSpinGlass, starts: int = 30) -> bool:
    """Tell whether points of every index have the right sum and are as many as the minima say."""
    graph = minima_of(glass)
    explorer = Explorer(glass, glass, glass.random_state, seed=1)
    for index in range(glass.n_dof):
        until(graph, explorer.critical_points(graph, range(starts), index), lambda: False)
    total = len(graph.minima) + len(graph.saddles) + len(graph.higher)
    minima = len(graph.minima)
    expected = 2 * minima if glass.n_dof == 2 else 4 * minima - 2
    return total == expected and morse_sum(graph) == glass.euler_characteristic


def xor(seeds: int = 3, searches: int = 40) -> None:
    """A module of two tanh units on the four patterns of XOR, made and traced anew in each seed."""
    import torch

    torch.set_num_threads(1)
    inputs, lengths = np.array([[0.0, 0.0], [0, 1], [1, 0], [1, 1]]), ModuleLandscape().lengths()

    def explored(seed: int, searches: int) -> Graph:
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
        problem = ModuleLoss.of(net, inputs, np.array([-1, 1, 1, -1]), l2=1e-3)
        return explore(problem, seed, searches=searches, steps=lengths.steps, hops=lengths.hops)

    explored(99, 2)
    for seed in range(seeds):
        begin = time.process_time()
        found = explored(seed, searches)
        spent = time.process_time() - begin
        print(
            f"XOR, seed {seed}: {len(found.minima)} minima and {len(found.saddles)} saddles in "
            f"{spent:.2f} s, {len(found.saddles) / spent:.2f} saddles a second",
            flush=True,
        )


def peers(folder: str, pele: str, topsearch: str) -> None:
    def run(name: str, python: str, script: str, *arguments: str) -> None:
        begin = time.perf_counter()
        command = [python, str(Path(folder) / script), *arguments]
        shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        spent = time.perf_counter() - begin
        said = (shown.stdout.strip() or shown.stderr).splitlines()[-1]
        print(f"{name} ({spent:.1f} s with its imports): {said}", flush=True)

    whole(7, 4, 12, 2)
    run("pele", pele, "landscape_pele.py", "7", "100", "30")
    run("topsearch", topsearch, "landscape_topsearch.py", "lj7")
    xor()
    for seed in range(3):
        run("topsearch", topsearch, "landscape_topsearch.py", "xor", str(seed))


CASES: dict[str, Callable[[], None]] = {
    "force": force,
    "lj7": lambda: whole(7, 4, 12, 2),
    "lj8": lambda: whole(8, 8, 42, 10),
    "xor": xor,
    "minima": global_minima,
    "descents": descents,
    "spins": spins,
    "lj13": lj13,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["peers"]:
        peers(*sys.argv[2:5])
    else:
        for chosen in sys.argv[1:] or [name for name in CASES if name != "lj13"]:
            CASES[chosen]()
