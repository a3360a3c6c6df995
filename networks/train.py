"""Train a network natively, and say what was reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.anneal import Annealed, Look, Schedule, anneal
from networks.margin import HingeNetwork
from networks.optimisers import Optimiser
from networks.polish import BALANCED, FITTED, Polished, polish

Vector: TypeAlias = NDArray[np.float64]
Status: TypeAlias = Literal["unjammed", "jammed", "stalled", "dead"]

BALANCED_ON_AVERAGE = 2e-3  # mean residual force of an anneal's last tenth
SETTLED = 1e-2  # relative fall of the energy over that tenth
RUNAWAY = 1.2  # growth of the norm in a polish that tells of weights without bound


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network and what is known about it.

    Parameters
    ----------
    x
        The parameters, ``(n_dof,)``.
    energy
        ``U(x)``.
    max_residual
        Largest component of ``∇U``, relative to the largest sum ``Σ_μ |f_μ ∂Δ_μ|`` of the forces
        that balance in a component: with fractional masks at the kinks if ``certified``, else
        averaged over the last tenth of the anneal.
    steps
        Steps of Adam made, or evaluations of the optimiser in its place.
    n_constraints
        ``N_Δ``, the number of violated patterns.
    status
        "unjammed" (``U < 1e-14``); "jammed": forces balance at ``U > 0``, to 1e-8 at a minimum if
        ``certified``, else to 2e-3 on average while the energy no longer falls; "dead" (most of
        the energy is in patterns on which some layer is silent); "stalled" otherwise.
    n_kinks
        Number of (pattern, unit) pairs held at a ReLU kink; 0 for smooth activations.
    reason
        Why a run stalled or died; empty otherwise.
    newton_steps
        Linear solves of the polish.
    certified
        Whether forces balance to 1e-8 at a minimum.
    radius
        The norm ``|x|`` that the polish held: a minimum of the `SphericalNetwork` of that radius.
    """

    x: Vector
    energy: float
    max_residual: float
    steps: int
    n_constraints: int
    status: Status
    n_kinks: int = 0
    reason: str = ""
    newton_steps: int = 0
    certified: bool = False
    radius: float | None = None


def train(
    problem: HingeNetwork,
    x: Vector,
    *,
    steps: int = 30000,
    newton_steps: int = 300,
    schedule: Schedule | None = None,
    hold_norm: bool = False,
    optimiser: Optimiser | None = None,
) -> Trained:
    """Minimise ``U`` from ``x``: an anneal of ``steps`` of Adam, then a polish to a minimum.

    ``optimiser`` takes the place of Adam and its ``schedule``; see `networks.optimisers`.
    The polish makes at most ``newton_steps`` linear solves, on the sphere of the norm that the
    anneal ended with if ``hold_norm``; see `networks.polish`. Without a polish the state is judged
    by its mean force. Nothing is raised when training fails: the status says so.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> problem = HingeNetwork(Mlp(6, 12, 1), random_patterns(20, 6, rng))
    >>> train(problem, problem.mlp.init(rng), steps=3000).status
    'unjammed'
    """
    if optimiser is None:
        ((_, annealed),) = anneal([problem], [x], steps=steps, schedule=schedule)
    else:
        annealed = optimiser(problem, x, steps=steps)
    return _judged(problem, annealed, newton_steps, hold_norm=hold_norm)


def train_all(
    problems: Sequence[HingeNetwork],
    xs: Sequence[Vector],
    *,
    steps: int = 30000,
    newton_steps: int = 0,
    schedule: Schedule | None = None,
    hold_norm: bool = False,
    look: Look | None = None,
) -> Iterator[tuple[int, Trained]]:
    """Yield the number of each network and what became of it, as they end.

    `train` of many networks, annealed together: seeds, loads, data and shapes may differ. ``look``
    is that of `anneal`.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng, mlp = np.random.default_rng(0), Mlp(6, 12, 1)
    >>> problems = [HingeNetwork(mlp, random_patterns(p, 6, rng)) for p in (20, 1000)]
    >>> found = dict(train_all(problems, [mlp.init(rng) for _ in problems], steps=3000))
    >>> found[0].status, found[1].status
    ('unjammed', 'jammed')
    """
    for i, annealed in anneal(problems, xs, steps=steps, schedule=schedule, look=look):
        yield i, _judged(problems[i], annealed, newton_steps, hold_norm=hold_norm)


def _judged(
    problem: HingeNetwork, annealed: Annealed, newton_steps: int, *, hold_norm: bool
) -> Trained:
    """Polish an annealed state if that is asked for, and say what it is."""
    if not (np.isfinite(annealed.energy) and np.isfinite(annealed.x).all()):
        reason = "training diverged: lower the learning rate"
        return Trained(annealed.x, np.nan, np.inf, annealed.steps, 0, "stalled", reason=reason)
    ended = _energy(problem, annealed.x) < FITTED or _is_dead(problem, annealed.x)
    if ended or newton_steps < 1:
        return _judged_on_average(problem, annealed)
    found = polish(problem, annealed.x, steps=newton_steps, hold_norm=hold_norm)
    energy = _energy(problem, found.x)
    status: Status = "stalled"
    if energy < FITTED:
        status = "unjammed"
    elif found.is_minimum:
        status = "jammed"
    return Trained(
        x=found.x,
        energy=energy,
        max_residual=found.residual,
        steps=annealed.steps,
        n_constraints=_n_violated(problem, found.x),
        status=status,
        n_kinks=found.n_kinks,
        reason=_why_not(annealed.x, found) if status == "stalled" else "",
        newton_steps=found.steps,
        certified=found.is_minimum,
        radius=float(np.linalg.norm(found.x)) if hold_norm else None,
    )


def _why_not(before: Vector, found: Polished) -> str:
    """Return why a polish certified no minimum."""
    norms = float(np.linalg.norm(before)), float(np.linalg.norm(found.x))
    if norms[1] > RUNAWAY * norms[0]:
        return f"weights run away, |x| from {norms[0]:.3g} to {norms[1]:.3g}: hold their norm"
    if found.residual <= BALANCED:
        return "forces balance at a saddle"
    return f"forces balance to {found.residual:.1e} only: allow more Newton steps"


def _judged_on_average(problem: HingeNetwork, found: Annealed) -> Trained:
    """Return the annealed state with the status that its mean force allows."""
    energy = _energy(problem, found.x)
    residual = _mean_residual(problem, found)
    status, reason = _status(problem, found, energy, residual)
    return Trained(
        x=found.x,
        energy=energy,
        max_residual=residual,
        steps=found.steps,
        n_constraints=_n_violated(problem, found.x),
        status=status,
        reason=reason,
    )


def _status(
    problem: HingeNetwork, found: Annealed, energy: float, residual: float
) -> tuple[Status, str]:
    if energy < FITTED:
        return "unjammed", ""
    if _is_dead(problem, found.x):
        return "dead", "some layer has no active unit on the patterns that hold most of the energy"
    if residual > BALANCED_ON_AVERAGE:
        return "stalled", f"forces balance to {residual:.1e} only: allow more steps"
    if found.fall > SETTLED:
        return "stalled", f"the energy still falls, {found.fall:.1%} at the end: allow more steps"
    return "jammed", ""


def _mean_residual(problem: HingeNetwork, found: Annealed) -> float:
    gaps = problem.gaps(found.x)
    rows = np.flatnonzero(gaps > 0)
    if not len(rows):
        return 0.0
    pulls = np.abs(problem.gap_jacobian(found.x, rows)).T @ gaps[rows]
    return float(np.abs(found.mean_gradient).max() / pulls.max())


def _n_violated(problem: HingeNetwork, x: Vector) -> int:
    return int((problem.gaps(x) > 0).sum())


def _energy(problem: HingeNetwork, x: Vector) -> float:
    return 0.5 * float(np.sum(np.maximum(problem.gaps(x), 0) ** 2))


def _is_dead(problem: HingeNetwork, x: Vector) -> bool:
    """Tell whether most of the energy is in patterns that do not act on the first layer.

    On such a pattern some layer has no active unit: the network is constant around it, or as deep
    only as the layers above.
    """
    gaps = problem.gaps(x)
    violated = np.flatnonzero(gaps > 0)
    first = problem.mlp.slices[0]
    cut_off = ~problem.gap_jacobian(x, violated)[:, first].any(axis=1)
    energies = gaps[violated] ** 2
    return bool(energies[cut_off].sum() > 0.5 * energies.sum())
