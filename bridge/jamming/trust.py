"""How far a step of the hypostatic solver may go, where it leads, and what it is worth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from bridge.jamming.linearised import Linearised, P
from bridge.jamming.loose_bodies import make_room
from bridge.jamming.optimum import Optimum
from bridge.protocols import Mask, Matrix, Vector

# Corrections of a step, and errors of the gaps that need none.
_CORRECTIONS = 2
_EXACT = 1e-15
# Part of its promise that a step has to fulfil.
_ACCEPTED = 0.1
# Damping where a state is not stable, and where there is no point in more.
_FIRST_DAMPING, _MOST_DAMPING = 1e-3, 1e4


@dataclass
class Trust:
    """How far a step may go, and how much its curvature is damped."""

    largest: float
    damping: float = 0.0

    def __post_init__(self) -> None:
        self.radius = self.largest

    def damped(self, curvature: Matrix) -> Matrix:
        """Return the curvature with the part ``damping`` of its largest entry on its diagonal."""
        if not self.damping:
            return curvature
        size = self.damping * float(abs(curvature).max())
        if isinstance(curvature, np.ndarray):
            return curvature + size * np.eye(len(curvature))
        return sparse.csr_array(curvature + size * sparse.eye_array(curvature.shape[0]))

    def damps(self) -> bool:
        """Damp more; tell whether there is a point in it."""
        self.damping = max(4.0 * self.damping, _FIRST_DAMPING)
        return self.damping < _MOST_DAMPING

    def accepts(self, gain: float, best: Optimum[Any]) -> bool:
        """Tell whether a step fulfilled enough of its promise, and adapt to how much it did."""
        if gain < _ACCEPTED:
            self.radius = 0.25 * min(self.radius, float(np.abs(best.u).max()))
            return False
        if gain > 0.5:
            self.radius = min(2.0 * self.radius, self.largest)
            if not best.reason:
                lower = 0.5 * self.damping
                self.damping = lower if lower > 0.1 * _FIRST_DAMPING else 0.0
        return True


def corrected(best: Optimum[P], held: Mask, max_step: float) -> tuple[Linearised[P], float]:
    """Return where a motion leads, corrected for the second order of the active gaps, and its load.

    Kinks are met exactly: beside its surface a kink that is held has no meaning.
    """
    here, u, t = best.here, best.u, best.t
    gaps = best.rows < here.n_gaps
    predicted = np.where(gaps, here.predicted(u, t)[best.rows], 0.0)
    there = make_room(here.moved(u, t, best.rows, best.forces), held)
    errors = _errors(best, there, predicted)
    for _ in range(_CORRECTIONS):
        worst = float(np.abs(errors).max())
        more, rise = best.correction(errors)
        if worst <= _EXACT or float(np.abs(more).max()) > max_step:
            break
        nearer = make_room(here.moved(u + more, t + rise, best.rows, best.forces), held)
        errors = _errors(best, nearer, predicted)
        left = float(np.abs(errors).max())
        if left < worst:
            there, u, t = nearer, u + more, t + rise
        if left > 0.5 * worst:
            break
    return there, t


def _errors(best: Optimum[P], there: Linearised[P], predicted: Vector) -> Vector:
    """Return what active gaps are beyond those predicted, ``(len(rows),)``.

    A gap falls short by any amount where a concave kink was crossed: as an error that counts for
    no more than the others, or closing it again would open all of them.
    """
    here = best.here
    errors = there.gaps[here.follow(best.rows, there)] - predicted
    if here.kinks is None:
        return errors
    gaps = best.rows < here.n_gaps
    size = max(float(errors[gaps].max()), float(np.abs(errors[~gaps]).max(initial=0.0)))
    return np.where(gaps, np.maximum(errors, -size), errors)


def fulfilled(best: Optimum[P], there: Linearised[P], rise: float) -> float:
    """Return the part fulfilled of what a motion promised: growth of the load less violation."""
    here, n = best.here, best.here.n_gaps
    before = float(here.gaps[:n].max())
    promised = best.t - float(here.predicted(best.u, best.t)[:n].max()) + before
    found = rise - float(there.gaps[:n].max()) + before
    return found / promised if promised > 1e-10 * abs(before) + 1e-13 else 1.0
