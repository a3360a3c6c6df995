"""What holds the free motions of the points of `jamming_points`: the network, or its norm.

    python benchmarks/jamming_points_curvature.py [FILE.npz]

On the sphere ``|w| = R`` the curvature along a motion that no constraint resists is ``own + ν``:
that of ``Σ λ Δ`` of the network whose norm is free, and ``ν = -Σ λ ∇Δ·w/R²``, the same for all
motions, by which the norm holds a margin above zero. Forces and masks are solved for again from
the stored states. Prints a table of ``own/ν``.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jamming_points import HOME, Sample
from jamming_points_report import Ended, Group, ends, groups
from scipy import linalg

from bridge.jamming.certificate import CLOSED
from networks import HingeNetwork, SphericalNetwork, random_patterns

AT_KINK = 10 * CLOSED  # |z| of a kink that is held
SOLVES = 4  # for the masks
BALANCED = 1e-9  # beside the mean force
RANK = 1e-9


@dataclass(frozen=True)
class Held:
    """The curvature of the network's own ``Σ λ Δ`` on the free motions, and that by the norm."""

    own: Any
    norm: float
    residual: float


def network_of(sample: Sample, margin: float) -> HingeNetwork:
    """Return the network with the patterns that it was trained on."""
    rng = np.random.default_rng(sample.seed)
    count = 2 * round(sample.load * sample.mlp.n_weights / 2)
    return HingeNetwork(sample.mlp, random_patterns(count, sample.width, rng), margin=margin)


def curvatures(end: Ended) -> Held:
    """Solve for forces and masks at a jamming point, and diagonalise on the free motions."""
    free, x = network_of(end.sample, float(end["margin"])), np.asarray(end["x"])
    sphere = SphericalNetwork(free, float(np.linalg.norm(x)))
    rows = np.flatnonzero(np.abs(sphere.gaps(x)) <= CLOSED)
    branch, jacobian, forces = balanced_branch(sphere, x, rows)
    load = np.zeros(len(free.patterns))
    load[rows] = forces[: len(rows)]
    residual = float(np.abs(forces @ jacobian).max() / load[rows].mean())
    pull = load @ branch.free.gap_jacobian(x)
    symmetries = free.zero_modes(x) if free.mlp.sigma.homogeneous else x[None]
    fixed = np.vstack([jacobian, x[None] / sphere.radius, symmetries])
    motions = linalg.null_space(fixed, rcond=RANK)
    own = linalg.eigvalsh(motions.T @ branch.free.curvature(x, load) @ motions)
    return Held(own, float(-(pull @ x) / sphere.radius**2), residual)


def balanced_branch(sphere: SphericalNetwork, x: Any, rows: Any) -> tuple[Any, Any, Any]:
    """Return the branch at the masks that balance the forces, its active Jacobian, and forces."""
    held, masks = np.empty(0, dtype=np.intp), np.empty(0)
    if not sphere.free.mlp.sigma.kinks:
        jacobian = sphere.gap_jacobian(x, rows)
        return sphere, jacobian, balance(jacobian, len(rows))
    owners, open_branch = sphere.kink_owners(), sphere.branch(x, held, masks)
    convex = open_branch.kink_strengths(x) > 0.0
    closed = np.abs(sphere.kinks(x)) <= AT_KINK
    held = np.flatnonzero(closed & convex & np.isin(owners, rows))
    masks = np.full(len(held), 0.5)
    for _ in range(SOLVES):
        branch = sphere.branch(x, held, masks)
        jacobian = np.vstack([branch.gap_jacobian(x, rows), branch.kink_jacobian(x, held)])
        forces = balance(jacobian, len(rows))
        of_owner = forces[np.searchsorted(rows, owners[held])]
        masks = masks + forces[len(rows) :] / (branch.kink_strengths(x)[held] * of_owner)
    branch = sphere.branch(x, held, masks)
    return branch, np.vstack([branch.gap_jacobian(x, rows), jacobian[len(rows) :]]), forces


def balance(jacobian: Any, count: int) -> Any:
    """Return forces with ``Jᵀ λ = 0`` whose first ``count`` sum to one."""
    load = (np.arange(len(jacobian)) < count).astype(float)
    goal = np.append(np.zeros(jacobian.shape[1]), 1.0)
    return linalg.lstsq(np.vstack([jacobian.T, load]), goal)[0]


def row(group: Group) -> str:
    found = [curvatures(end) for end in group.points]
    good = [held for held in found if held.residual < BALANCED and len(held.own)]
    s = group.sample
    used = f"{len(good)} of {len(found)}"
    head = f"| {s.activation} | {s.depth} | {s.mlp.n_weights} | {s.load} | {used} "
    if not good:
        return head + "|" * 5
    values = np.concatenate([held.own / held.norm for held in good])
    low, middle, high = np.quantile(values, [0.0, 0.5, 1.0])
    norm, negative = np.mean([held.norm for held in good]), np.mean(values < 0)
    return (
        f"{head}| {len(values)} | {norm:.3f} | {negative:.2f} "
        f"| {low:.2f}, {middle:.2f}, {high:.1f} |"
    )


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    print(
        "| activation | depth | N | P/N | points | motions | ν | own < 0 "
        f"| own/ν: least, median, largest |\n|{' --- |' * 9}"
    )
    for group in groups(ends(path)):
        if group.points:
            print(row(group))


if __name__ == "__main__":
    main()
