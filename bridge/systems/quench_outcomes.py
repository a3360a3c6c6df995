"""Data that one half makes and the other learns: outcomes of minimisations of three atoms."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from bridge.descent.lbfgs import Minimum
    from bridge.protocols import Vector
    from networks.data.outcomes import Outcomes


def quench_outcomes(
    count: int, rng: "np.random.Generator", z: float = 2.0, at: tuple[int, ...] = (0,)
) -> "Outcomes":
    """Return distances of three LJAT3 atoms, and the minimum that L-BFGS takes them to.

    Atoms start uniformly in a cube of side ``2√3``; a pattern holds ``(r₁₂, r₁₃, r₂₃)`` after each
    number of evaluations in ``at``, 0 for the start: ``(count, 3 len(at))``. Class 0 is the
    triangle, class ``k`` the line with atom ``k`` in the middle. Starts that reach neither (the
    atoms fly apart) are drawn again.
    """
    import numpy as np
    from scipy.spatial.distance import pdist

    from bridge.descent.lbfgs import lbfgs
    from networks.data.outcomes import Outcomes
    from particles.landscapes.clusters import AxilrodTeller

    problem = AxilrodTeller(3, z)

    def descended(x: "Vector", most: int) -> "Minimum":
        return lbfgs(
            problem, x, tolerance=1e-4, zero_energy=-np.inf, max_evaluations=most, certify=False
        )

    def distances(x: "Vector") -> "Vector":
        return np.asarray(pdist(x.reshape(3, 3)))

    patterns, labels = np.empty((count, 3 * len(at))), np.empty(count, dtype=np.intp)
    done = 0
    while done < count:
        x = rng.uniform(-(3**0.5), 3**0.5, 9)
        end = descended(x, 2000)
        label = _outcome(distances(end.x)) if end.status == "jammed" else None
        if label is not None:
            way = [x if most == 0 else descended(x, most).x for most in at]
            patterns[done], labels[done] = np.concatenate([distances(y) for y in way]), label
            done += 1
    return Outcomes(patterns, labels, 4)


def _outcome(sides: "Vector") -> int | None:
    """Return 0 for an equilateral triangle, ``k`` for a line with atom ``k`` in the middle."""
    longest = int(sides.argmax())
    others = sides.sum() - sides[longest]
    if sides.max() - sides.min() < 0.01:
        return 0
    if others - sides[longest] < 0.01 and sides[longest] < 3.0:
        return 3 - longest
    return None
