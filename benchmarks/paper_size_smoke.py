"""A device beside the processor, and what a step and a linear solve take on it: `paper_size`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from large_networks import Sample

from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, settle, train
from networks.models.symmetry import balanced
from networks.training.anneal import Schedule, _Anneal, anneal
from networks.training.batched import Ensemble
from networks.training.kinks import Kinks, KinkState
from networks.training.piecewise import Damped, Expansion

SAME = 1e-8
NETWORKS, STEPS = 22, 60


def smoke(device: str) -> None:
    """Compare a device with the processor, then time the parts of both stages at full size."""
    for part in (compare, steps, solves, rates):
        started = time.perf_counter()
        part(device)
        print(f"[{part.__name__}: {time.perf_counter() - started:.1f} s]", flush=True)


def compare(device: str) -> None:
    """Derivatives, an anneal and a polish of small networks on both, to 1e-8."""
    for depth, activation in ((1, "relu"), (3, "relu"), (2, "hardtanh"), (2, "tanh")):
        rng = np.random.default_rng(depth)
        mlp = Mlp(8, 8, depth, activation)
        patterns, start = random_patterns(4 * mlp.n_weights, 8, rng), mlp.init(rng)
        x = start + 0.1 * rng.standard_normal(len(start))
        v = rng.standard_normal((2, len(start)))
        found = [quantities(HingeNetwork(mlp, patterns, device=d), start, x, v)
                 for d in ("cpu", device)]  # fmt: skip
        worst = {key: difference(found[0][key], found[1][key]) for key in found[0]}
        print(f"depth {depth} {activation}: " + ", ".join(f"{k} {v:.0e}" for k, v in worst.items()))
        assert max(worst.values()) < SAME, worst
        end = train(HingeNetwork(mlp, patterns, device=device), start, steps=1000, newton_steps=200)
        print(f"  {end!r}, {end.newton_steps} solves, residual {end.max_residual:.0e}", flush=True)


def quantities(problem: HingeNetwork, start: Any, x: Any, v: Any) -> dict[str, Any]:
    """Return what must agree on all devices, by name."""
    w = balanced(problem.mlp, x) if problem.mlp.sigma.homogeneous else x
    held = SphericalNetwork(problem, float(np.linalg.norm(w)))
    ((_, annealed),) = anneal([problem], [start], steps=100)
    found = {
        "energy": np.array(problem.energy_gradient(x)[0]),
        "gradient": problem.energy_gradient(x)[1],
        "products": problem.hvp(x, v),
        "hessian": problem.hessian(x),
        "rows": problem.gap_jacobian(x),
        "anneal": annealed.x,
        "solves": settle(held, w, newton_steps=3).x,
    }
    if problem.mlp.sigma.kinks:
        found["kinks"] = problem.kink_jacobian(x, np.arange(0, len(problem.kinks(x)), 7))
    return found


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max() / np.abs(a).max())


@contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds that a part takes, with all that it leaves to the device."""
    wait()
    started = time.perf_counter()
    yield
    wait()
    times[name] = times.get(name, 0.0) + time.perf_counter() - started


def wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def steps(device: str) -> None:
    """One step of the anneal of 22 networks of depth 3, by parts."""
    made = [Sample(3, 51, 3.0, seed).made(device) for seed in range(NETWORKS)]
    problems, starts = zip(*made, strict=True)
    for gathers in (True, False):
        nets = Ensemble(problems, starts, gathers=gathers)
        run = _Anneal(nets, Schedule(), 40_000)
        for step in range(20):
            list(run.advance(step))
        times: dict[str, float] = {}
        with timed(times, "step"):
            for step in range(20, 20 + STEPS):
                list(run.advance(step))
        for _ in range(STEPS):
            with timed(times, "forward"):
                gaps = nets.gaps()
            with timed(times, "backward"):
                nets.backward(gaps)
            with timed(times, "Adam"):
                run._step(1000)
        print(f"anneal, gathers {gathers}: " + shown(times, STEPS * NETWORKS, "a network"))


def shown(times: dict[str, float], over: int, what: str) -> str:
    return ", ".join(f"{k} {1e3 * t / over:.3f} ms" for k, t in times.items()) + f" {what}"


def solves(device: str) -> None:
    """One linear solve at n = 7875, by parts; the certificate; and three polishes at once."""
    problem, start = Sample(3, 51, 3.2, 0).made(device)
    ((_, annealed),) = anneal([problem], [start], steps=1500)
    x = balanced(problem.mlp, annealed.x)
    w = torch.tensor(x, device=device)
    for _ in range(2):  # the first time libraries are loaded
        times: dict[str, float] = {}
        with timed(times, "point"):
            point = KinkState(problem, w, Kinks.none(problem), float(w.norm()))
        with timed(times, "hessian"):
            point.hessian()
        with timed(times, "model with it"):
            model = Expansion(point)
        with timed(times, "factorisation and dual"):
            damped, damping = None, 1e-3
            while damped is None:
                damping *= 10
                damped = Damped.of(model, damping)
        with timed(times, "box"):
            damped.minimum(model.offsets, model.start)
        n, positive = len(w), model.hessian @ model.hessian
        with timed(times, "factorisation alone"):
            torch.linalg.cholesky_ex(positive)
        del model, damped, positive
    rows = torch.randn(n // 4, n, dtype=torch.float64, device=device)
    with timed(times, "QR of n/4 rows"):
        directions, triangle = torch.linalg.qr(rows.T, mode="complete")
    with timed(times, "restricted Hessian"):
        directions[:, n // 4 :].T @ point.hessian() @ directions[:, n // 4 :]
    print(f"solve, n = {n}, {len(point.violated)} violated: " + shown(times, 1, ""), flush=True)
    del directions, triangle, rows, point
    together(problem, x)


def together(problem: HingeNetwork, x: Any) -> None:
    """Polishes alone, and three at a time in streams of their own."""
    held = SphericalNetwork(problem, float(np.linalg.norm(x)))

    def descend() -> None:
        stream = torch.cuda.Stream() if problem.inputs.is_cuda else None
        with torch.cuda.stream(stream):
            settle(held, x, newton_steps=6)

    for count in (1, 3):
        if problem.inputs.is_cuda:
            torch.cuda.reset_peak_memory_stats()
        threads = [threading.Thread(target=descend) for _ in range(count)]
        times: dict[str, float] = {}
        with timed(times, "a solve"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        memory = 1e-9 * torch.cuda.max_memory_allocated() if problem.inputs.is_cuda else 0.0
        print(f"{count} at a time: " + shown(times, 6 * count, f", {memory:.1f} GB"), flush=True)


def rates(device: str) -> None:
    """How active the least active layer of depth 5 stays at other rates, in a short anneal."""
    from paper_size import least_active

    made = [Sample(5, 40, 3.0, seed).made(device) for seed in range(4)]
    problems, starts = zip(*made, strict=True)
    for first in (1e-2, 5e-3, 3e-3):
        ends = dict(anneal(problems, starts, steps=2000, schedule=Schedule(first=first)))
        active = [f"{least_active(problems[i], ends[i].x):.2f}" for i in sorted(ends)]
        left = [f"{ends[i].energy:.0f}" for i in sorted(ends)]
        print(f"depth 5, rate {first}: active {active}, U {left}", flush=True)
