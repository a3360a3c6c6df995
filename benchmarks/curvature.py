"""Curvature above jamming: spectra of ``H``, ``H0`` and ``Hp`` at growing distance, five systems.

    python benchmarks/curvature.py [--seconds 600] [--states FILE.npz]

From exact jamming points of discs, ellipses, a perceptron of negative margin, and networks of ReLU
and tanh, all of 120 to 150 degrees of freedom, the load is raised in steps and minimised after
each. Where kinks hold a minimum its curvature is that along them. Below jamming ``U = 0`` and
``H = 0``: there is nothing to diagonalise. Samples are kept as each ends, and the same command goes
on where it was. One process of one thread; `curvature_figure` draws what came of it.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
import torch
from exact import packing, perceptron
from jamming_points import Sample, TooLongError, fitted, keep, limited_to
from jamming_points import minimise as settle
from scipy import linalg

from bridge.jamming import ExactJamming, exact_jamming
from bridge.jamming.linearised import Linearised
from bridge.measure.observables import (
    counted_constraints,
    dense,
    free_variables,
    frozen_bodies,
    observe,
)
from bridge.measure.spectra import hessian, stiffness
from networks import SphericalNetwork
from networks.models.symmetry import balanced
from particles import Discs, Ellipses, descend, minimise

HOME = Path(__file__).with_suffix(".npz")
SYSTEMS = ("discs", "ellipses", "perceptron", "relu", "tanh")
SEEDS = 4
# Loads above that of jamming: growth of lengths, of a margin, and of the margin over its size.
DISTANCES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
BODIES, ELONGATED, ASPECT, COMPONENTS = 64, 48, 1.5, 128
DEPTH, WIDTH, PER_WEIGHT = 2, 8, 1.6
LIMIT = 60.0  # processor seconds of a sample


def jammed(system: str, seed: int) -> ExactJamming[Any]:
    """Return an exact jamming point."""
    if system == "discs":
        return packing(Discs.bidisperse(BODIES, 0.86), seed)
    if system == "ellipses":
        return packing(Ellipses.bidisperse(ELONGATED, 0.92, aspect=ASPECT), seed, pressure=1e-6)
    if system == "perceptron":
        return perceptron(COMPONENTS, seed)
    end, _ = fitted(Sample(system, DEPTH, WIDTH, PER_WEIGHT, seed))
    free: Any = end.problem.free if isinstance(end.problem, SphericalNetwork) else end.problem
    x = balanced(free.mlp, end.x) if free.mlp.sigma.homogeneous else end.x
    return exact_jamming(SphericalNetwork(free, float(np.linalg.norm(x))), x, minimise=settle)


def minimiser(system: str) -> Any:
    return {"discs": minimise, "ellipses": minimise, "perceptron": descend}.get(system, settle)


def spectra(problem: Any, x: Any) -> dict[str, Any]:
    """Return the eigenvalues of ``H``, ``H0`` and ``Hp`` of a minimum, and its counts.

    They are those of the motions that are no symmetry, no frozen body's, and along held kinks. The
    stiffness of a motion is ``tr H0/n``, which sets the unit of ``H``.
    """
    here = Linearised.at(problem, x)
    free = free_variables(problem.n_dof, frozen_bodies(problem, x))
    counted = counted_constraints(problem, x, here.problem.gaps(x), free)
    if here.branch is None:
        idle = np.setdiff1d(np.flatnonzero(here.gaps > 0), counted)
        h0 = stiffness(problem, x, counted)
        whole = hessian(problem, x) - (stiffness(problem, x, idle) if idle.size else 0.0)
        rows, held = here.modes, 0
    else:
        branch: Any = here.branch
        overlaps = np.maximum(branch.gaps(x), 0.0)
        jacobian = dense(branch.gap_jacobian(x, np.flatnonzero(overlaps)))
        h0 = jacobian.T @ jacobian
        whole = h0 + branch.curvature(x, overlaps)
        held = here.kinks.n_held if here.kinks else 0
        kinks = here.jacobian[here.n_gaps : here.n_gaps + held]
        rows = np.concatenate([here.modes, kinks])
    across = linalg.null_space(rows[:, free]) if len(rows) else np.eye(int(free.sum()))
    values = {}
    for name, matrix in (("h", whole), ("h0", h0), ("hp", whole - h0)):
        values[name] = linalg.eigvalsh(across.T @ matrix[np.ix_(free, free)] @ across)
    seen = observe(problem, x)
    scale = float(values["h0"].mean())
    counts = np.array([seen.n, seen.n_constraints, held, seen.pressure, scale])
    return {"counts": counts} | {k: (v / scale).astype(np.float32) for k, v in values.items()}


def measured(system: str, seed: int) -> dict[str, Any]:
    """Return how a sample ended, and its spectra at each distance that was reached."""
    found: dict[str, Any] = {"status": "out of time"}
    try:
        with limited_to(LIMIT):
            point = jammed(system, seed)
            found["status"] = str(point.status)
            if point.status != "jammed":
                return found | {"reason": point.reason}
            unit = abs(point.problem.free.margin) if system in ("relu", "tanh") else 1.0
            x = point.x
            for k, distance in enumerate(DISTANCES):
                end = minimiser(system)(point.problem.tightened(distance * unit), x)
                if end.status != "jammed":
                    return found | {"reason": f"{end.status} at {distance:g}"}
                x = end.x
                found |= {f"{k} {name}": v for name, v in spectra(end.problem, x).items()}
    except TooLongError:
        found["reason"] = f"{LIMIT:g} s"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1e9, help="after which to start no more")
    parser.add_argument("--states", type=Path, default=HOME)
    options = parser.parse_args()
    torch.set_num_threads(1)
    deadline = time.perf_counter() + options.seconds
    kept: dict[str, Any] = dict(np.load(options.states)) if options.states.exists() else {}
    for seed in range(SEEDS):
        for system in SYSTEMS:
            name = f"{system} {seed}"
            if f"{name} status" in kept or time.perf_counter() > deadline:
                continue
            started = time.process_time()
            found = measured(system, seed) | {"seconds": time.process_time() - started}
            kept |= {f"{name} {key}": np.asarray(value) for key, value in found.items()}
            keep(kept, options.states)
            said = found["status"], found.get("reason", ""), f"{found['seconds']:.1f} s"
            print(name, *said, flush=True)


if __name__ == "__main__":
    main()
