"""Networks: speed of an ensemble beside plain autograd, and the load at which fitting ends.

    python benchmarks/deep_networks.py [speed] [transition] [steps] [--store FILE]

Without a name, all of them. Times are processor times; with --store, networks trained before are
not trained again and count with the time they took.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

WIDTH, DEPTH, PATTERNS, NETWORKS, STEPS = 20, 3, 3500, 16, 100


def plain(problem, x):
    """A user's loop: torch.nn, autograd, torch.optim.Adam, the same numbers in float64."""
    import torch

    modules = []
    for (rows, columns), s in zip(problem.mlp.shapes, problem.mlp.slices, strict=True):
        layer = torch.nn.Linear(columns - 1, rows, dtype=torch.float64)
        weights = torch.tensor(x[s].reshape(rows, columns))
        layer.weight.data, layer.bias.data = weights[:, :-1].clone(), weights[:, -1].clone()
        modules += [layer, torch.nn.ReLU()]
    net = torch.nn.Sequential(*modules[:-1])
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    inputs, labels = torch.tensor(problem.patterns.x), torch.tensor(problem.patterns.y)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = 0.5 * torch.relu(1 - labels * net(inputs)[:, 0]).square().mean()
        loss.backward()
        optimiser.step()


def clocked(function, *arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    function(*arguments)
    return np.array([time.process_time() - cpu, time.perf_counter() - wall])


def network(seed):
    from networks import HingeNetwork, Mlp, random_patterns

    rng = np.random.default_rng(seed)
    mlp = Mlp(WIDTH, WIDTH, DEPTH)
    return HingeNetwork(mlp, random_patterns(PATTERNS, WIDTH, rng)), mlp.init(rng)


def annealed(seed):
    """Train one of the networks, in whatever process this is."""
    from networks.training.anneal import anneal

    problem, start = network(seed)
    list(anneal([problem], [start], steps=STEPS))


def two_cores():
    """All networks from their starts: wall time of the loop alone, and of two processes.

    The loop has the number of threads that suits it best. Processes have started before.
    """
    import torch

    from bridge.runs.workers import mapping

    with mapping(2) as mapper:
        list(mapper(annealed, range(2)))
        theirs, ours = {1: [], 2: []}, []
        for _ in range(3):
            for threads, times in theirs.items():
                torch.set_num_threads(threads)
                times.append(clocked(plain, *network(0))[1] / STEPS)
            started = time.perf_counter()
            list(mapper(annealed, range(NETWORKS)))
            ours.append((time.perf_counter() - started) / (STEPS * NETWORKS))
    one, two, mine = (1e3 * min(times) for times in (theirs[1], theirs[2], ours))
    print("\nTwo cores, wall ms a step and network, from the starts:")
    print(f"autograd {one:.2f} (two threads {two:.2f}), two processes of ours {mine:.2f}: ", end="")
    print(f"{min(one, two) / mine:.1f} times as many steps a second")


def products(problem, x):
    """Return what makes the matrix products of one step and nothing else, and its operations.

    All patterns go forward, the violated ones backward; no step can take less than its products.
    """
    import torch

    from networks.training.batched import Ensemble

    nets = Ensemble([problem], [x])
    inputs = nets.inputs
    violated = int((nets.gaps() > 0).sum())
    taken = [a[:, :, :violated].contiguous() for a in nets.filled]
    signals = [
        torch.randn(1, rows, violated, dtype=torch.float64) for rows, _ in problem.mlp.shapes
    ]
    outs = [torch.empty(1, rows, PATTERNS, dtype=torch.float64) for rows, _ in problem.mlp.shapes]

    def run():
        for _ in range(STEPS):
            for layer, a, out in zip(nets.layers, inputs, outs, strict=True):
                torch.bmm(layer, a, out=out)
            for layer, a, signal in zip(nets.layers, taken, signals, strict=True):
                torch.bmm(signal, a.transpose(1, 2))
                if layer is not nets.layers[0]:
                    torch.bmm(layer[:, :, :-1].transpose(1, 2), signal)

    forward = sum(rows * columns for rows, columns in problem.mlp.shapes)
    back = sum(rows * (columns - 1) for rows, columns in problem.mlp.shapes[1:])
    return run, 2 * (forward * PATTERNS + (forward + back) * violated)


def speed():
    """Per step of one network: the least processor and wall time of five rounds, in turn.

    From random starts most patterns are violated, and later in an anneal some 30 %; autograd
    takes all of them along. The last column is the ratio if products took all of the time.
    """
    from networks.training.anneal import anneal

    problems, starts = map(list, zip(*map(network, range(NETWORKS)), strict=True))

    def ensemble(chosen, xs):
        list(anneal(chosen, xs, steps=STEPS))

    trained = dict(anneal(problems[:1], starts[:1], steps=1500))[0].x
    for state, xs in (("at the start", starts), ("after 1500 steps", [trained] * NETWORKS)):
        shown = problems if state == "at the start" else problems[:1] * NETWORKS
        multiply, operations = products(problems[0], xs[0])
        theirs, ours, bare = [], [], []
        for _ in range(5):
            theirs.append(clocked(plain, problems[0], xs[0]) / STEPS)
            ours.append(clocked(ensemble, shown, xs) / (STEPS * NETWORKS))
            bare.append(clocked(multiply) / STEPS)
        theirs, ours, bare = (1e3 * np.min(times, axis=0) for times in (theirs, ours, bare))
        print(
            f"| {os.environ['OMP_NUM_THREADS']} | {state} | {theirs[0]:.2f} ({theirs[1]:.2f}) | "
            f"{ours[0]:.2f} ({ours[1]:.2f}) | "
            f"{theirs[0] / ours[0]:.1f} ({theirs[1] / ours[1]:.1f}) | "
            f"{bare[0]:.2f} ({1e-6 * operations / bare[0]:.0f}) | {theirs[0] / bare[0]:.1f} |",
            flush=True,
        )


def speeds():
    print(f"N = {(DEPTH * WIDTH + 1) * WIDTH}, P = {PATTERNS}, {NETWORKS} networks")
    print("\nProcessor time a step and network in ms, wall time in brackets.")
    print("\n| threads | state | autograd | ensemble | ratio | products (GFLOP/s) | limit |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for threads in "12":
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        subprocess.run([sys.executable, __file__, "one-speed"], env=environment, check=True)
    subprocess.run([sys.executable, __file__, "two-cores"], check=True)


def transitions(plan, samples, steps, store):
    """Find transitions on two processes; networks are polished at their norm."""
    from bridge.runs.transition_search import LoadSearch, find
    from bridge.runs.workers import mapping
    from bridge.systems import NetworkSystem

    print(
        "\n| data | depth | width | N | samples | steps | P/N* | N_Δ/N there | dead | stalled "
        "| minutes | wall |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        flush=True,
    )
    for data, depth, width, low, high in plan:
        system = NetworkSystem(depth=depth, width=width, data=data, steps=steps[0])
        for count in steps:
            search = LoadSearch(replace(system, steps=count), low, high, 0.1, samples, seed=0)
            started = time.perf_counter()
            with mapping(2) as mapper:
                found = find(
                    search, store, progress=lambda done, total: None, workers=2, mapper=mapper
                )
            wall = (time.perf_counter() - started) / 60
            middle, points, jump = found.midpoint, found.points, found.jump()
            ratio = "none" if jump is None else f"{jump[0]:.2f}"
            where = "outside" if middle is None else f"{middle.value:.2f} ± {middle.error:.2f}"
            tried = samples * len(points)
            dead, stalled = sum(p.dead for p in points), sum(p.stalled for p in points)
            print(
                f"| {data} | {depth} | {width} | {points[0].n_weights} | {samples} | {count} | "
                f"{where} | {ratio} | {dead}/{tried} | {stalled}/{tried} "
                f"| {found.seconds / 60:.1f} | {wall:.1f} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["speed", "transition", "steps"])
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    if given.parts == ["one-speed"]:
        return speed()
    if given.parts == ["two-cores"]:
        return two_cores()
    from bridge.records.store import Store

    if "speed" in given.parts:
        speeds()
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(given.store or Path(folder) / "networks.sqlite") as store,
    ):
        if "transition" in given.parts:
            large = [("random", 2, 24, 1.5, 3.0), ("random", 3, 20, 1.5, 3.0)]
            transitions(large, 8, [6000], store)
        if "steps" in given.parts:
            transitions([("random", 2, 12, 1.0, 3.5)], 8, [1500, 3000, 6000, 12000, 24000], store)
    return None


if __name__ == "__main__":
    main()
