"""The doubly nudged elastic band: a chain of states from one minimum to another."""

from dataclasses import dataclass

import numpy as np

from bridge.protocols import Landscape, Vector

_IMAGES = 15  # states between the ends
_ITERATIONS = 80
_SPRING = 10.0  # stiffness over the typical gradient of the first chain and its spacing


@dataclass(frozen=True, eq=False)
class Band:
    """States and unit tangents, ``(k, n_dof)`` each, and energies ``(k,)``, from end to end."""

    images: Vector
    energies: Vector
    tangents: Vector

    def peaks(self) -> list[int]:
        """Return the images higher than both neighbours, the highest first: guesses of saddles."""
        e = self.energies
        peaks = [k for k in range(1, len(e) - 1) if e[k] >= e[k - 1] and e[k] > e[k + 1]]
        return sorted(peaks, key=lambda k: -e[k])


def relax_band(problem: Landscape, start: Vector, end: Vector, *, max_step: float = 0.1) -> Band:
    """Relax a straight chain of states between two minima, both ends fixed.

    Each image feels the gradient across the chain and the springs along it; a part of the springs
    across the chain, what is perpendicular to the gradient, keeps it from kinking (the second
    nudge). The chain need not converge: its peaks are only where climbs start.

    Parameters
    ----------
    start, end
        Minima, ``(n_dof,)``, aligned by the caller.
    max_step
        Largest change of a variable in one iteration.

    References
    ----------
    S. A. Trygubenko, D. J. Wales, J. Chem. Phys. 120, 2082 (2004); tangents by G. Henkelman,
    H. Jónsson, J. Chem. Phys. 113, 9978 (2000).
    """
    chain = np.linspace(start, end, _IMAGES + 2)
    energies, gradients = _evaluate(problem, chain)
    spacing = float(np.linalg.norm(end - start)) / (_IMAGES + 1)
    stiffness = _SPRING * float(np.median(np.linalg.norm(gradients[1:-1], axis=1))) / spacing
    velocity = np.zeros_like(chain[1:-1])
    rate = 0.1 * max_step / max(float(np.abs(gradients).max()), 1e-300)
    for _ in range(_ITERATIONS):
        force = -_nudged(chain, energies, gradients, stiffness)
        # Quick-min: keep the velocity only where it goes along with the force.
        along = (velocity * force).sum(axis=1, keepdims=True)
        square = (force**2).sum(axis=1, keepdims=True)
        velocity = np.where(along > 0, along / np.maximum(square, 1e-300), 0.0) * force
        velocity += rate * force
        longest = float(np.abs(velocity).max())
        chain[1:-1] += velocity * min(1.0, max_step / max(longest, 1e-300))
        energies, gradients = _evaluate(problem, chain)
    return Band(chain, energies, _tangents(chain, energies))


def _evaluate(problem: Landscape, chain: Vector) -> tuple[Vector, Vector]:
    values = [problem.energy_gradient(x) for x in chain]
    return np.array([e for e, _ in values]), np.array([g for _, g in values])


def _tangents(chain: Vector, energies: Vector) -> Vector:
    """Return unit vectors towards the higher neighbour; mixed by energy at an extremum."""
    steps = np.diff(chain, axis=0)
    ahead = np.concatenate([steps, steps[-1:]])
    behind = np.concatenate([steps[:1], steps])
    rise = np.diff(energies)
    up = np.concatenate([rise, [0.0]])
    down = np.concatenate([[0.0], rise])
    large, small = np.maximum(abs(up), abs(down)), np.minimum(abs(up), abs(down))
    first, second = np.where(up + down > 0, large, small), np.where(up + down > 0, small, large)
    mixed = first[:, None] * ahead + second[:, None] * behind
    slope = np.where((up > 0) & (down > 0), 1, np.where((up < 0) & (down < 0), -1, 0))[:, None]
    tangents = np.where(slope > 0, ahead, np.where(slope < 0, behind, mixed))
    lengths = np.linalg.norm(tangents, axis=1, keepdims=True)
    return np.asarray(tangents / np.maximum(lengths, 1e-300))


def _nudged(chain: Vector, energies: Vector, gradients: Vector, stiffness: float) -> Vector:
    """Return the gradient that each inner image follows, ``(k - 2, n_dof)``."""
    tangents = _tangents(chain, energies)[1:-1]
    across = _without(gradients[1:-1], tangents)
    lengths = np.linalg.norm(np.diff(chain, axis=0), axis=1, keepdims=True)
    along = stiffness * (lengths[:-1] - lengths[1:]) * tangents
    pull = stiffness * (2 * chain[1:-1] - chain[:-2] - chain[2:])
    size = np.linalg.norm(across, axis=1, keepdims=True)
    second = _without(_without(pull, tangents), across / np.maximum(size, 1e-300))
    return np.asarray(across + along + second)


def _without(vectors: Vector, unit: Vector) -> Vector:
    """Return each vector less its part along a unit vector."""
    return np.asarray(vectors - (vectors * unit).sum(axis=1, keepdims=True) * unit)
