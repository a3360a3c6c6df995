"""Training: an anneal, a polish, and the status of their end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from networks.checks import check_generator, check_kind, state, whole
from networks.models import backprop
from networks.models.fixed_norm import SphericalNetwork
from networks.models.hinge import FITTED, HingeNetwork
from networks.models.module import ModuleProblem
from networks.models.symmetry import balanced
from networks.training.anneal import Annealed, Look, Schedule, anneal
from networks.training.kinks import Kinks, KinkState
from networks.training.module_train import anneal_module, certified_module, judged_module
from networks.training.optimisers import Optimiser
from networks.training.polish import BALANCED, Polished, polish

Vector: TypeAlias = NDArray[np.float64]
Status: TypeAlias = Literal["unjammed", "jammed", "stalled", "dead"]
Problem: TypeAlias = HingeNetwork | ModuleProblem

NEWTON_STEPS = 1000  # a polish takes 10 to 100 of them, near the transition several hundred
SILENT = "some layer has no active unit on the patterns that hold most of the energy"
_OTHERS = "packings go to particles.minimise, other problems to bridge.lbfgs"
RUNAWAY = 1.2  # growth of the norm in a polish that tells of weights without bound


@dataclass(frozen=True, eq=False, repr=False)
class Trained:
    """A trained network and what is known about it.

    Attributes
    ----------
    problem
        The network, at the norm ``|x|`` where the polish held that; that of the training where it
        was free, or there was nothing to polish.
    x
        The parameters, ``(n_dof,)``.
    energy
        ``U(x)``.
    max_residual
        Largest component of ``∇U``, on the sphere if the norm is held and with fractional masks at
        the kinks of a polished state, relative to the largest sum ``Σ_μ |f_μ ∂Δ_μ|`` of the forces
        that balance in a component.
    steps
        Steps of Adam made, or evaluations of the optimiser in its place.
    n_constraints
        ``N_Δ``, the number of violated patterns; 0 of a network that fits.
    status
        "unjammed" (``U < 1e-14``); "jammed": the polish certified that forces balance to 1e-8 and
        that no direction lowers the energy; "dead" (most of the energy is in patterns on which
        some layer is silent); "stalled" otherwise.
    n_kinks
        Number of (pattern, unit) pairs held at a kink; 0 for smooth activations.
    reason
        Why a run stalled or died; empty otherwise.
    newton_steps
        Linear solves of the polish.
    """

    problem: Problem | SphericalNetwork
    x: Vector
    energy: float
    max_residual: float
    steps: int
    n_constraints: int
    status: Status
    n_kinks: int = 0
    reason: str = ""
    newton_steps: int = 0

    @property
    def radius(self) -> float | None:
        """The norm ``|x|`` that the polish held; None if it was free."""
        return self.problem.radius if isinstance(self.problem, SphericalNetwork) else None

    def __repr__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        shown = (
            f"P/N = {self.problem.load:.4g}, U = {self.energy:.6g}, {self.n_constraints} violated"
        )
        kinks = f", {self.n_kinks} kinks" if self.n_kinks else ""
        name = type(self.problem).__name__
        return f"<Trained {name}: {self.status}{reason}, {shown}{kinks}>"


def train(
    problem: Problem,
    x: Vector,
    *,
    steps: int = 30000,
    newton_steps: int = NEWTON_STEPS,
    schedule: Schedule | None = None,
    hold_norm: bool = True,
    optimiser: Optimiser | None = None,
    rng: np.random.Generator | None = None,
    callback: Callable[[int, float, Vector], None] | None = None,
) -> Trained:
    """Minimise ``U`` from ``x``: an anneal of ``steps`` of Adam, then a polish to a minimum.

    Nothing is raised when training fails: the status says so.

    Parameters
    ----------
    problem, x
        The learning problem, a network or what `from_module` makes, and the parameters to start
        from, ``(n_dof,)``.
    steps
        Steps of Adam, or evaluations of the ``optimiser``.
    newton_steps
        Most linear solves of the polish. Without a polish nothing is certified, and what does not
        fit is stalled.
    schedule
        Learning rates of Adam.
    hold_norm
        Whether the polish keeps the norm of the weights, after homogeneous units were rescaled to
        the smallest norm that gives the same output: many of these networks have no minimum
        otherwise, see `polish`.
    optimiser
        Takes the place of Adam and its schedule, see `optimisers`.
    rng
        For an optimiser that draws minibatches.
    callback
        Called as ``callback(step, U, x)`` at each step of Adam: for a log, a plot, TensorBoard.

    Raises
    ------
    TypeError
        If something is not of its kind, such as a packing in place of the network.
    ValueError
        If ``x`` has another shape than ``(n_dof,)`` or is not finite, or ``steps`` are negative.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> problem = HingeNetwork(Mlp(6, 12, 1), random_patterns(20, 6, rng))
    >>> train(problem, problem.mlp.init(rng), steps=3000).status
    'unjammed'
    """
    _check_learner(problem)
    x = state(x, problem.n_dof)
    whole("steps", steps, 0)
    if rng is not None:
        check_generator(rng)
    if optimiser is not None:
        if isinstance(problem, ModuleProblem):
            name = type(optimiser).__name__
            raise ValueError(f"expected Adam for a module, got {name}: drop optimiser")
        annealed = optimiser(problem, x, steps=steps, rng=rng)
    elif isinstance(problem, ModuleProblem):
        annealed = anneal_module(problem, x, steps=steps, schedule=schedule, callback=callback)
    else:
        look, looks = _look(problem, callback), max(steps, 1)
        rules: dict[str, Any] = {"steps": steps, "schedule": schedule}
        ((_, annealed),) = anneal([problem], [x], look=look, looks=looks, **rules)
    return _judged(problem, annealed, newton_steps, hold_norm=hold_norm)


def _look(
    problem: HingeNetwork, callback: Callable[[int, float, Vector], None] | None
) -> Look | None:
    if callback is None:
        return None
    return lambda _, step, x: callback(step, problem.energy_gradient(x)[0], x)


def _check_learner(problem: Problem) -> None:
    if not isinstance(problem, ModuleProblem):
        check_kind("problem", problem, HingeNetwork, _OTHERS)


def train_all(
    problems: Sequence[Problem],
    xs: Sequence[Vector],
    *,
    steps: int = 30000,
    newton_steps: int = NEWTON_STEPS,
    schedule: Schedule | None = None,
    hold_norm: bool = True,
    look: Look | None = None,
) -> Iterator[tuple[int, Trained]]:
    """Yield ``(i, Trained)`` of each network ``i``, in the order in which they end.

    `train` of many networks, annealed together: seeds, loads, data and shapes may differ; modules
    are annealed after them, one by one. ``look`` is that of `anneal`, all else that of `train`.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng, mlp = np.random.default_rng(0), Mlp(6, 12, 1)
    >>> problems = [HingeNetwork(mlp, random_patterns(p, 6, rng)) for p in (20, 1000)]
    >>> ends = dict(train_all(problems, [mlp.init(rng) for _ in problems], steps=3000))
    >>> ends[0].status, ends[1].status
    ('unjammed', 'jammed')
    """
    for problem in problems:
        _check_learner(problem)
    starts = [state(x, problem.n_dof) for problem, x in zip(problems, xs, strict=True)]
    networks = {i: p for i, p in enumerate(problems) if isinstance(p, HingeNetwork)}
    places, few = list(networks), list(networks.values())
    begun = [starts[i] for i in places]
    for i, annealed in anneal(few, begun, steps=steps, schedule=schedule, look=look):
        yield places[i], _judged(few[i], annealed, newton_steps, hold_norm=hold_norm)
    for i, module in enumerate(problems):
        if isinstance(module, ModuleProblem):
            annealed = anneal_module(module, starts[i], steps=steps, schedule=schedule)
            yield i, _judged(module, annealed, newton_steps, hold_norm=hold_norm)


def settle(problem: SphericalNetwork, x: Vector, *, newton_steps: int = NEWTON_STEPS) -> Trained:
    """Descend from ``x`` to the minimum next to it on the sphere, without training.

    Where a load changes slowly this follows its minimum, over any number of kinks.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> free = HingeNetwork(Mlp(6, 4, 1), random_patterns(150, 6, rng))
    >>> end = train(free, free.mlp.init(rng), steps=3000)
    >>> settle(end.problem.tightened(-0.01), end.x).status
    'jammed'
    """
    check_kind("problem", problem, SphericalNetwork, "pass SphericalNetwork(free, radius)")
    w = problem.on_sphere(state(x, problem.n_dof))
    if isinstance(problem.free, ModuleProblem):
        return certified_module(problem.free, w, 0, newton_steps, held=True)
    found = polish(problem.free, w, steps=newton_steps, hold_norm=True)
    return _certified(problem.free, found, w, 0, newton_steps, held=True)


def _judged(problem: Problem, annealed: Annealed, newton_steps: int, *, hold_norm: bool) -> Trained:
    """Polish an annealed state if there is anything to polish, and say what it is."""
    if isinstance(problem, ModuleProblem):
        return judged_module(problem, annealed, newton_steps, hold_norm=hold_norm)
    finite = bool(np.isfinite(annealed.x).all())
    here = _point(problem, annealed.x) if finite else None
    if here is None or not np.isfinite(here.energy):
        reason = "training diverged: lower the learning rate"
        return Trained(
            problem, annealed.x, np.nan, np.inf, annealed.steps, 0, "stalled", reason=reason
        )
    if here.energy < FITTED:
        return _ended(here, annealed.steps, "unjammed")
    if _is_dead(here):
        return _ended(here, annealed.steps, "dead", reason=SILENT)
    if newton_steps < 1:
        reason = "not polished, nothing is certified: allow Newton steps"
        return _ended(here, annealed.steps, "stalled", reason=reason)
    x = annealed.x
    if hold_norm and problem.mlp.sigma.homogeneous:
        x = balanced(problem.mlp, x)
    found = polish(problem, x, steps=newton_steps, hold_norm=hold_norm)
    return _certified(problem, found, x, annealed.steps, newton_steps, held=hold_norm)


def _certified(
    problem: HingeNetwork, found: Polished, before: Vector, steps: int, allowed: int, *, held: bool
) -> Trained:
    """Say what a polish that began at ``before`` has certified."""
    here = _point(problem, found.x)
    if here.energy < FITTED:
        return _ended(here, steps, "unjammed", newton_steps=found.steps)
    status: Status = "jammed" if found.is_minimum else "stalled"
    reason = "" if found.is_minimum else why_not(before, found, allowed)
    if _is_dead(here):
        status, reason = "dead", SILENT
    norm = float(np.linalg.norm(found.x))
    return replace(
        _ended(here, steps, status, reason=reason, newton_steps=found.steps),
        problem=SphericalNetwork(problem, norm) if held else problem,
        max_residual=found.residual,
        n_kinks=found.n_kinks,
    )


def _point(problem: HingeNetwork, x: Vector) -> KinkState:
    """Return the state with masks by the signs of its units, and its norm free."""
    w = torch.tensor(x, dtype=torch.float64, device=problem.inputs.device)
    return KinkState(problem, w, Kinks.none(problem))


def _ended(
    here: KinkState, steps: int, status: Status, *, reason: str = "", newton_steps: int = 0
) -> Trained:
    return Trained(
        problem=here.problem,
        x=here.w.cpu().numpy(),
        energy=here.energy,
        max_residual=here.residual,
        steps=steps,
        n_constraints=0 if status == "unjammed" else len(here.violated),
        status=status,
        reason=reason,
        newton_steps=newton_steps,
    )


def why_not(before: Vector, found: Polished, allowed: int) -> str:
    """Return why a polish certified no minimum."""
    norms = float(np.linalg.norm(before)), float(np.linalg.norm(found.x))
    if norms[1] > RUNAWAY * norms[0]:
        return f"weights run away, |x| from {norms[0]:.3g} to {norms[1]:.3g}: hold their norm"
    if found.residual <= BALANCED:
        return "forces balance at a saddle"
    remedy = (
        "allow more Newton steps" if found.steps >= allowed else "train again from another start"
    )
    return f"forces balance to {found.residual:.1e} only: {remedy}"


def _is_dead(here: KinkState) -> bool:
    """Tell whether most of the energy is in patterns that do not act on the first layer.

    On such a pattern some layer has no active unit: the network is constant around it, or as deep
    only as the layers above.
    """
    first = backprop.signals(here.problem.mlp, here.w, here.state)[0]
    energies = here.gaps[here.violated].square()
    return bool(energies[~first.any(dim=1)].sum() > 0.5 * energies.sum())
