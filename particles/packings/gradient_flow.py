"""Steepest descent as a differential equation: the minimum whose basin a state lies in."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from particles.checks import check_options, whole
from particles.packings.minimum import Minimum, certified, relax
from particles.packings.packing import FLOOR, Packing, check_packing
from particles.packings.stability import contacts

Vector = NDArray[np.float64]

# Largest force, in units of the mean force of a contact, from which FIRE goes on: the state is
# then within 1e-4 of the minimum.
_CLOSE = 1e-4


def gradient_flow(
    problem: Packing,
    x: ArrayLike,
    *,
    accuracy: float = 1e-6,
    max_steps: int = 100_000,
    relative: float = 1e-9,
) -> Minimum:
    """Return the minimum that ``dx/dt = -∇U`` ends in: the basin of ``x`` is that of this minimum.

    FIRE and L-BFGS take steps across the walls between basins, so that few of their minima are
    those of the basin that they started in, and the fewer the larger the packing: P. Suryadevara,
    M. Casiulis and S. Martiniani, arXiv 2409.12113 (2024). Here an implicit solver of stiff
    equations follows the flow, with the sparse Hessian, by steps of a bounded error; some 1e-4
    from the balance of forces the fast descent goes on, and the result is certified as in
    `minimise`. A hundred times slower than that, for up to a few hundred bodies.

    Parameters
    ----------
    problem : Packing
        The packing.
    x : (n_dof,)
        Where to start.
    accuracy : float
        Error of a step, relative and in diameters. Near the walls of a basin even small errors
        decide: repeat with a smaller one to see whether the minimum stays.
    max_steps : int
        Steps of the solver after which the run is called stalled.
    relative : float
        Largest force at the end, in units of the mean force of a contact.

    Raises
    ------
    ValueError
        If ``x`` is not a state, or an option is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from particles import Discs
    >>> packing = Discs.bidisperse(8, phi=0.9)
    >>> end = gradient_flow(packing, packing.random_state(np.random.default_rng(0)))
    >>> end.status, end.problem is packing
    ('jammed', True)
    """
    from scipy.integrate import BDF

    check_packing(problem)
    check_options(positive=True, accuracy=accuracy, relative=relative)
    whole("max_steps", max_steps, 1)
    flow = BDF(
        lambda _, y: -problem.energy_gradient(y)[1],
        0.0,
        problem.bodies(x).ravel(),
        np.inf,
        rtol=accuracy,
        atol=accuracy * float(problem.diameters.min()),
        jac=lambda _, y: sparse.csc_array(-problem.hessian(y)),
    )
    reason = f"{max_steps} steps were not enough"
    for _ in range(max_steps):
        if _is_close(problem, flow.y):
            there = relax(problem, flow.y, relative=relative)
            there = certified(problem, there, relative=relative)
            return replace(there, steps=there.steps + flow.nfev)
        if (said := flow.step()) is not None:
            reason = said
            break
    energy, gradient = problem.energy_gradient(flow.y)
    largest = float(np.abs(gradient).max())
    return Minimum(problem, flow.y, "stalled", energy, largest, flow.nfev, reason)


def _is_close(problem: Packing, x: Vector) -> bool:
    """Tell whether forces nearly balance, or no contact is left."""
    push = contacts(problem, x).forces
    if float(push.sum()) <= FLOOR * problem.n_dof:
        return True
    return bool(np.abs(problem.energy_gradient(x)[1]).max() <= _CLOSE * push.mean())
