"""Where plain descent ends: the energy at which a system without memory of its way stops."""

import numpy as np

from bridge.descent.lbfgs import lbfgs
from bridge.protocols import Landscape, Vector


def end_energy(problem: Landscape, x: Vector, *, max_evaluations: int = 20_000) -> float | None:
    """Return the energy at which steepest descent ends, or None if it does not.

    No memory of earlier steps: a descent that only looks at the slope stops at the first
    threshold, where better minimisers may pass. For large p-spin glasses that is ``-2√((p-1)/p)``
    per spin, above the ground state (Cugliandolo, Kurchan, Phys. Rev. Lett. 71, 173, 1993).
    """
    end = lbfgs(
        problem,
        x,
        tolerance=1e-4,
        zero_energy=-np.inf,
        max_evaluations=max_evaluations,
        memory=0,
        certify=False,
    )
    return end.energy if end.status == "jammed" else None
