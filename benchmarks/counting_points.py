"""One exact jamming point of `counting`: how it is reached, and what is kept of it."""

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
import torch
from counting_cases import CONVEX, KEPT, NEAR_KINK, NON_CONVEX, Case
from exact import packing, perceptron
from jamming_points import Sample, TooLongError, fitted, limited_to, minimise, open_kinks

from bridge.jamming import ExactJamming, exact_jamming
from networks import SphericalNetwork
from networks.models import backprop
from networks.models.symmetry import balanced
from particles import Discs, Ellipses

Numbers = dict[str, Any]
Values = dict[str, Any]
RESIDUALS = ("primal_residual", "violation", "dual_residual", "min_force", "condition", "curvature")
COUNTS = ("n_self_stresses", "n_free_motions", "n_surface", "n_redundant")


def measured(case: Case) -> tuple[Numbers, Values]:
    """Go to the jamming point of a case; return its numbers, and the small values by name.

    Whatever happens is a status: that of `exact_jamming`, "not fitted", "out of time" or "raised".
    """
    torch.set_num_threads(1)
    started = time.process_time()
    numbers: Numbers = {}
    values: Values = {}
    try:
        with limited_to(case.limit):
            values = _network(case, numbers) if case.depth else _other(case, numbers)
    except TooLongError:
        where = "the exact point" if "fit_seconds" in numbers else "fitting"
        numbers |= {"status": "out of time", "reason": f"{case.limit:g} s, in {where}"}
    except Exception as error:  # noqa: BLE001 - a fault of the solver is a result to be counted
        numbers |= {"status": "raised", "reason": f"{type(error).__name__}: {error}"}
    return numbers | {"seconds": round(time.process_time() - started, 2)}, values


def _network(case: Case, numbers: Numbers) -> Values:
    started = time.process_time()
    sample = Sample(case.system, case.depth, case.size, case.load, case.seed)
    end, starts = fitted(sample)
    numbers |= {"starts": starts, "fit_seconds": round(time.process_time() - started, 2)}
    free = end.problem.free if isinstance(end.problem, SphericalNetwork) else end.problem
    if end.status != "unjammed":
        numbers |= {"status": "not fitted", "reason": f"{end.status}: {end.reason}"}
        return {}
    x = balanced(free.mlp, end.x) if free.mlp.sigma.homogeneous else end.x
    held = SphericalNetwork(free, float(np.linalg.norm(x)))
    found = exact_jamming(held, x, minimise=minimise)
    numbers |= numbers_of(found) | {"margin": short(found.problem.free.margin)}
    numbers |= {"dead": len(found.problem.frozen(found.x))}
    if found.certificate is None:
        return {}
    if case.system.startswith("softplus"):
        numbers |= {"rounded_kinks": rounded_kinks(found)}
    gaps = found.margins()
    numbers["mean_gap"] = short(gaps.mean()) if len(gaps) else None
    return kept(found, gaps, open_kinks(found))


def _other(case: Case, numbers: Numbers) -> Values:
    found = OTHERS[case.system](case)
    problem = found.problem
    load = problem.sigma if case.system == "perceptron" else problem.phi
    numbers |= numbers_of(found) | {"load": short(load)}
    if found.certificate is None:
        return {}
    gaps = found.margins()
    perceptrons = case.system == "perceptron"
    numbers["mean_gap"] = short(gaps.mean()) if perceptrons and len(gaps) else 1.0
    return kept(found, gaps, np.empty(0))


def _perceptron(case: Case) -> ExactJamming[Any]:
    alpha, sigma = NON_CONVEX if case.load == NON_CONVEX[0] else CONVEX
    return perceptron(case.size, case.seed, alpha, sigma)


def _ellipses(case: Case) -> ExactJamming[Any]:
    start = Ellipses.bidisperse(case.size, 0.92, aspect=case.load)
    return packing(start, case.seed, pressure=1e-6)


OTHERS: dict[str, Callable[[Case], ExactJamming[Any]]] = {
    "discs": lambda case: packing(Discs.bidisperse(case.size, 0.86), case.seed),
    "ellipses": _ellipses,
    "perceptron": _perceptron,
}


def numbers_of(found: ExactJamming[Any]) -> Numbers:
    """Return status, counts and residuals of a point.

    ``n_dof`` variables are ``n_frozen`` on which no active constraint acts, ``n_symmetries`` along
    which no constraint can act (motions of the whole, the norm, rescalings of rectifiers), and
    ``n``. Missing are ``n + 1 - n_constraints - n_kinks`` constraints.
    """
    numbers = {
        "status": found.status,
        "reason": found.reason,
        "n_dof": found.problem.n_dof,
        "n_constraints": len(found.rows),
        "n_kinks": len(found.kinks),
        "stages": found.stages,
        "newton_steps": found.steps,
        "exchanges": found.exchanges,
    }
    proof = found.certificate
    if proof is None:
        return numbers
    held = int(found.held.sum())
    numbers |= {"n": proof.n, "n_frozen": len(found.held) - held, "n_symmetries": held - proof.n}
    numbers |= {"missing": proof.n_isostatic - len(found.rows) - len(found.kinks)}
    numbers |= {name: getattr(proof, name) for name in COUNTS}
    return numbers | {name: short(getattr(proof, name)) for name in RESIDUALS}


def kept(found: ExactJamming[Any], gaps: Any, kinks: Any) -> Values:
    """Return what lies below the ends `KEPT`, ascending, each in the units of `WINDOWS`."""
    scale = gaps.mean() if len(gaps) and not hasattr(found.problem, "n_bodies") else 1.0
    every = {
        "forces": found.relative_forces,
        "masks": np.minimum(found.masks, 1.0 - found.masks),
        "gaps": gaps / scale,
        "kinks": kinks,
    }
    return {name: np.sort(v[v < KEPT[name]]) for name, v in every.items()}


def rounded_kinks(found: ExactJamming[SphericalNetwork]) -> dict[str, list[int]]:
    """Count units of active patterns in the bend of their softplus, by its side.

    A pair (active pattern, unit) is in the bend where the slope is further than one of `NEAR_KINK`
    from 0 and 1. Its bend is convex in the gap where ``∂Δ/∂σ(z) > 0``, and concave otherwise: as
    the bend becomes a kink, convex ones can be held there, and concave ones cannot.
    """
    free = found.problem.free
    w, rows = torch.tensor(found.x), torch.tensor(found.rows)
    state = backprop.forward(free.mlp, w, free.inputs[rows])
    above = backprop.signals(free.mlp, w, state)[1:]
    layers = backprop.layers(free.mlp, w)[1:]
    into = torch.stack([d @ layer[:, :-1] for d, layer in zip(above, layers, strict=True)])
    convex = -free.labels[rows][None, :, None] * into > 0.0
    slopes = torch.stack(state.slopes)
    distance = torch.minimum(slopes, 1.0 - slopes)
    return {
        side: [int(((distance > near) & chosen).sum()) for near in NEAR_KINK]
        for side, chosen in (("convex", convex), ("concave", ~convex))
    }


def short(value: Any) -> float | None:
    return None if value is None else float(f"{value:.5g}")
