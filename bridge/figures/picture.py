"""The picture of one state: as its system draws itself, or else its gaps in order."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.figures.style import BLUE, GREY, RED, style
from bridge.jamming.exact import ExactJamming
from bridge.protocols import ConstraintProblem, HasPicture, Restricted, Vector, state_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (4.6, 4.8)


def plot(
    problem: Any,
    x: Vector | None = None,
    ax: "Axes | None" = None,
    *,
    forces: Vector | None = None,
    mode: Vector | None = None,
) -> "Axes":
    """Draw a state into ``ax``, or a new figure of pyplot, and return the axes.

    A packing shows its bodies, its rattlers in white and its forces as bars, a perceptron its
    patterns around the forbidden side, a network its units, weights and kinks. Any other system
    with gaps shows these in order.

    Parameters
    ----------
    problem, x
        The end of a minimisation, an exact jamming point, or what `bridge.load` reopens; or a
        problem and its state ``(n_dof,)``.
    forces
        The force at each gap, ``(m,)``; those of an exact jamming point are its own, and all others
        the overlaps ``max(Δ, 0)``.
    mode
        A motion ``(n_dof,)``, such as a row of `bridge.eigenmodes`: arrows in a packing.

    Raises
    ------
    TypeError
        If the state is missing, or there is neither a picture nor a gap.

    Examples
    --------
    >>> import numpy as np
    >>> from particles import Discs, minimise
    >>> packing = Discs.bidisperse(16, phi=0.95)
    >>> axes = plot(minimise(packing, packing.random_state(np.random.default_rng(0))))
    >>> axes.get_xlabel()
    'bars: forces; white: 0 rattlers'
    """
    if forces is None:
        forces = forces_of(problem)
    problem, x = state_of(problem, x)
    if isinstance(problem, Restricted):
        problem, x = problem.unrestricted(x)
    if not isinstance(problem, HasPicture | ConstraintProblem):
        name = type(problem).__name__
        raise TypeError(f"expected a system with a picture or gaps, got {name}: give it `draw`")
    with style():
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.figure(figsize=_SIZE, layout="constrained").add_subplot()
        if isinstance(problem, HasPicture):
            problem.draw(x, ax, forces, mode)
        else:
            _draw_in_order(problem.gaps(x), ax)
    return ax


def forces_of(end: Any) -> Vector | None:
    """Return the force at each gap of an end that knows it, ``(m,)``: in units of the mean."""
    if isinstance(end, ExactJamming):
        found = np.zeros(len(end.gaps))
        if len(end.rows):
            found[end.rows] = end.relative_forces
        return found
    return getattr(end, "forces", None)


def _draw_in_order(gaps: Vector, ax: "Axes") -> None:
    """Draw gaps by their rank, from the most violated on."""
    ordered = np.sort(gaps)[::-1]
    rank, violated = np.arange(1, len(gaps) + 1), ordered > 0
    ax.axhline(0.0, color=GREY, lw=0.7)
    for mask, colour, name in (
        (violated, RED, "violated, Δ > 0"),
        (~violated, BLUE, "satisfied, Δ < 0"),
    ):
        if mask.any():
            ax.plot(rank[mask], ordered[mask], "o", ms=2.5, color=colour, label=name)
    ax.set(xlabel="constraints in order", ylabel="gap Δ")
    ax.legend()
