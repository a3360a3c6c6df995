"""What every system looks like to the bridge.

A packing, a perceptron and a network are the same object here: gaps ``Δ_μ(x)``, violated where
``Δ_μ > 0``, and the energy ``U(x) = ½ Σ_μ max(Δ_μ, 0)²`` of the violated ones. Any object with the
methods below is a system; nothing has to be inherited, and nothing below the bridge's top floor
knows more about a system than this file says.

``x`` is a flat float64 vector of shape ``(n_dof,)``. It is passed in, and never stored or changed.
A state that is not finite raises ``ValueError``.

A whole system: a point in the plane within the distance 1 of ``m`` posts, ``Δ_μ = |x - c_μ| - 1``.

>>> import numpy as np
>>> class Posts:
...     def __init__(self, posts):
...         self.posts = np.asarray(posts, dtype=float)
...     n_dof = 2
...     def gaps(self, x):
...         if not np.isfinite(x).all():
...             raise ValueError("expected a finite state, got NaN or inf")
...         return np.linalg.norm(x - self.posts, axis=1) - 1.0
...     def gap_jacobian(self, x, rows=None):
...         posts = self.posts if rows is None else self.posts[rows]
...         return (x - posts) / np.linalg.norm(x - posts, axis=1, keepdims=True)
...     def energy_gradient(self, x):
...         forces = np.maximum(self.gaps(x), 0.0)
...         return 0.5 * float(forces @ forces), forces @ self.gap_jacobian(x)
...     def hvp(self, x, v):
...         gaps, rows = self.gaps(x), self.gap_jacobian(x)
...         across = np.maximum(gaps, 0.0) / (1.0 + gaps)  # Δ ∇²Δ = Δ (1 - ∇Δ ∇Δᵀ)/|x - c|
...         along = (gaps > 0) - across
...         return across.sum() * v + (v @ rows.T * along) @ rows
...     def zero_modes(self, x):
...         return np.zeros((0, 2))
>>> posts = Posts([[-1.25, 0.0], [1.25, 0.0]])
>>> from bridge import check_problem, lbfgs, observe, spectrum
>>> check_problem(posts, np.array([0.3, 0.4]))  # its derivatives, and all else that is relied on

Half way both constraints are violated by a quarter, ``U = 2 (1/4)²/2``. The stiffness is 2 along
the line, and across it the prestress holds the point with ``2 (1/4)/(5/4)``:

>>> end = lbfgs(posts, np.array([0.3, 0.4]))
>>> end.status, round(end.energy, 9), end.x.round(6) + 0.0
('jammed', 0.0625, array([0., 0.]))
>>> n, values = observe(end).n_constraints, spectrum(end)
>>> n, values.eigenvalues_h0[1:].round(6), values.eigenvalues_hp[1:].round(6)
(2, array([2.]), array([0.4]))
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Protocol, Self, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]
Matrix: TypeAlias = "Vector | sparse.csr_array"


@runtime_checkable
class Landscape(Protocol):
    """A differentiable energy and its continuous symmetries.

    This is all that the search for minima and saddles needs: a Lennard-Jones cluster, a spin
    glass and a cross-entropy network are landscapes without gaps.
    """

    @property
    def n_dof(self) -> int:
        """Number of variables."""

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U(x)`` and ``∇U(x)``, shape ``(n_dof,)``."""

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H(x) v`` for one direction ``(n_dof,)`` or for ``k`` of them ``(k, n_dof)``."""

    def zero_modes(self, x: Vector) -> Vector:
        """Return orthonormal tangents of the continuous symmetries at ``x``, ``(k, n_dof)``.

        ``U`` is constant along them at every ``x``. Rattlers and dead units are not symmetries.
        """


@runtime_checkable
class ConstraintProblem(Landscape, Protocol):
    """A landscape whose energy is ``½ Σ_μ max(Δ_μ, 0)²``."""

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ(x)``, shape ``(m,)``: positive where violated, dimensionless.

        A packing lists its near pairs only, so ``m`` may depend on ``x``.
        """

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Matrix:
        """Return ``∂Δ_μ/∂x``, shape ``(m, n_dof)``, or its ``rows`` only; dense or CSR."""


class Status(StrEnum):
    """How a minimisation ended: a text, whose ``meaning`` is one sentence.

    >>> Status("jammed") == "jammed"
    True
    >>> for status in Status:
    ...     print(f"{status:9} {status.meaning}")
    unjammed  All constraints are satisfied: U = 0 was reached.
    jammed    U > 0, forces balance, some constraint holds, and no direction lowers U.
    stalled   Neither was reached; the reason says why.
    dead      A network most of whose energy is in patterns on which a whole layer is silent.
    """

    meaning: str

    UNJAMMED = "unjammed", "All constraints are satisfied: U = 0 was reached."
    JAMMED = "jammed", "U > 0, forces balance, some constraint holds, and no direction lowers U."
    STALLED = "stalled", "Neither was reached; the reason says why."
    DEAD = "dead", "A network most of whose energy is in patterns on which a whole layer is silent."

    def __new__(cls, value: str, meaning: str) -> Self:
        """Return the member that is the text ``value``."""
        member = str.__new__(cls, value)
        member._value_, member.meaning = value, meaning
        return member

    def __repr__(self) -> str:
        return repr(self.value)


Ends = TypeVar("Ends", bound=Landscape)
Ended = TypeVar("Ended", bound=Landscape, covariant=True)


@runtime_checkable
class End(Protocol[Ended]):
    """Where a minimisation ended: what every minimiser of packings, perceptrons and networks gives.

    `bridge.observe`, `bridge.spectrum` and `bridge.exact_jamming` take an end whole, or the problem
    and a state of it.

    Examples
    --------
    >>> from bridge import observe
    >>> from particles import Discs, minimise
    >>> packing = Discs.bidisperse(16, phi=0.95)
    >>> end = minimise(packing, packing.random_state(np.random.default_rng(0)))
    >>> isinstance(end, End), end.status, end.reason
    (True, 'jammed', '')
    >>> observe(end) == observe(end.problem, end.x)
    True
    """

    @property
    def problem(self) -> Ended:
        """The landscape at the load where the minimisation ended."""

    @property
    def x(self) -> Vector:
        """The state, ``(n_dof,)``."""

    @property
    def status(self) -> str:
        """A `Status`, or its text; an exact jamming point names more ways to fail."""

    @property
    def reason(self) -> str:
        """One line that says why the status is not the one hoped for; empty if it is."""


def one_line(end: End[Any], **numbers: float) -> str:
    """Return an end as a line of text: its class, its system, its status and a few numbers."""
    shown = "".join(f", {name} = {value:.6g}" for name, value in numbers.items())
    reason = f" ({end.reason})" if end.reason else ""
    system = type(end.problem).__name__
    return f"<{type(end).__name__} of {system}: {end.status}{reason}, n_dof = {len(end.x)}{shown}>"


def state_of(problem: "Ends | End[Ends]", x: Vector | None) -> tuple[Ends, Vector]:
    """Return the problem and the state of an end, or those that are given.

    Raises
    ------
    TypeError
        In one line, if the state is missing, or given twice.
    """
    if isinstance(problem, End):
        if x is not None:
            raise TypeError("expected an end alone, got a state with it: pass end.problem and x")
        return problem.problem, problem.x
    if x is None:
        name = type(problem).__name__
        raise TypeError(f"expected an end with problem and x, got {name}: pass its state x as well")
    return problem, x


@runtime_checkable
class HasKinkCount(Protocol):
    """The end of a network of rectifiers that may lie where units have their kinks."""

    @property
    def n_kinks(self) -> int | None:
        """Number of (pattern, unit) pairs held at their kink; None where there can be none."""


@runtime_checkable
class HasMarginal(Protocol):
    """The end of a descent of the linear hinge ``Σ max(Δ, 0)``, which rests in its corners."""

    @property
    def marginal(self) -> Indices:
        """The constraints that hold exactly, ``Δ = 0``, as places in the list of gaps."""

    @property
    def forces(self) -> Vector:
        """Their forces, in ``(0, 1)``, ``(n_marginal,)``."""


@runtime_checkable
class HasMinimiser(Protocol):
    """The end of a minimiser that is made for its system, and much faster than the generic one."""

    def minimise(self, problem: Any, x: Vector) -> "End[Any]":
        """Descend by it from ``x``, in the same system at another load."""


@runtime_checkable
class HasTightening(ConstraintProblem, Protocol):
    """A problem with a control parameter ``t`` that drives it through its transition.

    Packings: ``t`` is the relative growth of every length, ``Δ = 1 - μ/(1 + t)``.
    Perceptron and networks: ``t`` is added to the margin asked for, ``Δ -> Δ + t``.
    """

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ_μ/∂t`` at ``t = 0``, shape ``(m,)``, in the order of ``gaps(x)``."""

    def tightened(self, t: float) -> Self:
        """Return the same system with its load changed by ``t``."""


@runtime_checkable
class HasCurvature(ConstraintProblem, Protocol):
    """A problem that forms the curvature of a weighted sum of its gaps."""

    def curvature(self, x: Vector, forces: Vector) -> Matrix:
        """Return ``Σ_μ λ_μ ∇²Δ_μ``, ``(n_dof, n_dof)``, for ``forces`` ``(m,)``."""


@runtime_checkable
class Branch(HasTightening, HasCurvature, Protocol):
    """What `HasKinks.branch` returns: a problem without kinks, and the kinks it was cut from."""

    def kinks(self, x: Vector) -> Vector:
        """Return ``z_k(x)`` of every kink, ``(K,)``."""

    def kink_jacobian(self, x: Vector, kinks: Indices) -> Matrix:
        """Return ``∂z_k/∂x`` of some kinks, ``(len(kinks), n_dof)``."""

    def kink_strengths(self, x: Vector) -> Vector:
        """Return ``c_k = ∂Δ/∂max(z_k, 0)`` of every kink, ``(K,)``, for the gap that owns it."""


@runtime_checkable
class NestedBranch(Branch, Protocol):
    """A branch of a problem in which kinks lie upon kinks, as those of layer upon layer of units.

    ``z_j = smooth + Σ_k w_jk max(z_k, 0)``, with one owner of both. Where a branch does not say so,
    no kink acts on another.
    """

    def kink_couplings(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``w_jk = ∂z_j/∂max(z_k, 0)`` of some kinks, ``(len(kinks), len(kinks))``."""


@runtime_checkable
class HasKinks(HasTightening, Protocol):
    """A problem whose gaps are smooth but for kinks: ``Δ_μ = smooth + Σ_k c_k max(z_k, 0)``.

    A kink belongs to one gap, its owner. Where ``c_k > 0`` it may hold a state at ``z_k = 0`` as
    a constraint does, with a force from both sides: in a balance ``Σ λ ∇Δ = 0`` the slope of
    ``max`` there is any mask ``0 <= t_k <= 1``, and ``ν_k = t_k c_k λ_μ`` is the force along
    ``∇z_k``. Inside of ``[0, c_k λ_μ]`` the kink is held; at an end it opens to that side, 0 to
    ``z_k < 0``. With the masks of some kinks held fixed the problem is smooth: a branch of it.
    ``z_k`` may itself have kinks, of lower layers: `NestedBranch` says how one acts on the other.

    Two walls meet over a gable, ``Δ_1 = |x| + y + t`` and ``Δ_2 = t - y``. Their kink at ``x = 0``
    has ``c = 2``, and ``t`` cannot grow beyond 0:

    >>> from dataclasses import dataclass, replace
    >>> @dataclass(frozen=True)
    ... class Gable:
    ...     t: float = 0.0
    ...     slope: float | None = None  # of max(x, 0) in a branch
    ...     n_dof = 2
    ...     def _slope(self, x):
    ...         return float(x[0] > 0) if self.slope is None else self.slope
    ...     def gaps(self, x):
    ...         return np.array([(2 * self._slope(x) - 1) * x[0] + x[1], -x[1]]) + self.t
    ...     def gap_jacobian(self, x, rows=None):
    ...         full = np.array([[2 * self._slope(x) - 1, 1.0], [0.0, -1.0]])
    ...         return full if rows is None else full[rows]
    ...     def energy_gradient(self, x):
    ...         forces = np.maximum(self.gaps(x), 0.0)
    ...         return 0.5 * float(forces @ forces), forces @ self.gap_jacobian(x)
    ...     def hvp(self, x, v):
    ...         rows = self.gap_jacobian(x)[self.gaps(x) > 0]
    ...         return v @ rows.T @ rows
    ...     def zero_modes(self, x):
    ...         return np.zeros((0, 2))
    ...     def tightening(self, x):
    ...         return np.ones(2)
    ...     def tightened(self, t):
    ...         return replace(self, t=self.t + t)
    ...     def curvature(self, x, forces):
    ...         return np.zeros((2, 2))
    ...     def kinks(self, x):
    ...         return x[:1]
    ...     def kink_owners(self):
    ...         return np.array([0])
    ...     def branch(self, x, held, masks):
    ...         return replace(self, slope=float(masks[0]) if len(held) else float(x[0] > 0))
    ...     def kink_jacobian(self, x, kinks):
    ...         return np.array([[1.0, 0.0]])[kinks]
    ...     def kink_strengths(self, x):
    ...         return np.array([2.0])

    Two constraints and a kink hold two variables and the load. The kink is half open:

    >>> from bridge import exact_jamming
    >>> point = exact_jamming(Gable(), np.array([0.3, 0.1]))
    >>> point.status, abs(round(point.problem.t, 12)), point.forces, point.masks
    ('jammed', 0.0, array([0.5, 0.5]), array([0.5]))
    """

    def kinks(self, x: Vector) -> Vector:
        """Return ``z_k(x)`` of every kink, ``(K,)``, in an order that never changes."""

    def kink_owners(self) -> Indices:
        """Return the place of the gap that each kink belongs to, ``(K,)``."""

    def branch(self, x: Vector, held: Indices, masks: Vector) -> Branch:
        """Return the smooth problem with the slopes of ``x``, and with ``masks`` where ``held``."""


@runtime_checkable
class HasGapNames(Protocol):
    """A system whose list of gaps depends on the state, so that a place in it names nothing."""

    def gap_names(self, x: Vector) -> Indices:
        """Return the permanent name of each gap, in the order of ``gaps(x)``: ``(m, k)`` integers.

        Rows differ, and a constraint keeps its row wherever ``x`` moves continuously.
        """


@runtime_checkable
class HasFrozenBodies(Protocol):
    """A system some of whose bodies may carry no force: rattlers, or dead hidden units."""

    def frozen(self, x: Vector) -> list[Indices]:
        """Return, for each frozen body, the indices of its variables in ``x``."""


@runtime_checkable
class HasZero(Protocol):
    """A system whose descents approach ``U = 0`` from above, and may end a little short of it."""

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether what is left of ``gaps`` above zero, ``(m,)``, is none of its violations."""


@runtime_checkable
class Restricted(Protocol):
    """A system whose variables are held on a surface, such as a sphere.

    The projection on to it gives each row of ``gap_jacobian`` an entry in every variable, and the
    surface may fix motions that no constraint resists. What a constraint acts on, and what it can
    resist, is told by the system without the surface.
    """

    def unrestricted(self, x: Vector) -> tuple[ConstraintProblem, Vector]:
        """Return the system without the surface, of the same variables, and the state there."""


@runtime_checkable
class HasBodies(Protocol):
    """A system that can be drawn as bodies in a periodic box."""

    @property
    def n_bodies(self) -> int:
        """Number of bodies."""

    def scene(self, x: Vector) -> dict[str, NDArray[Any]]:
        """Return ``box``, ``shapes``, ``held``, ``pairs``, ``pair_gaps`` and ``images``.

        What they hold is said in `particles.Packing.scene`; ``x`` has the centre of each body, and
        then its angle if it has one.
        """


@runtime_checkable
class HasSprings(Protocol):
    """Bodies that constraints of their own act on, beside those with each other."""

    @property
    def springs_per_body(self) -> int:
        """Constraints of its own that are violated, for each body that is held."""


@runtime_checkable
class HasPicture(Landscape, Protocol):
    """A system that can draw a state of its own, for `bridge.plot`."""

    def draw(
        self, x: Vector, ax: Any, forces: Vector | None = None, mode: Vector | None = None
    ) -> None:
        """Draw the state into axes of matplotlib.

        ``forces`` ``(m,)`` stand in for ``max(Δ, 0)`` where that is not the force at a gap, and
        ``mode`` ``(n_dof,)`` is a motion to show; a system may leave either out.
        """


@runtime_checkable
class HasHessian(Landscape, Protocol):
    """A landscape that forms its Hessian faster than by products with unit vectors."""

    def hessian(self, x: Vector) -> Matrix:
        """Return ``H(x)``, symmetric, ``(n_dof, n_dof)``; dense or CSR."""


@runtime_checkable
class HasEquivalents(Protocol):
    """A system with discrete symmetries, or several names for one physical state."""

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield ``(name of the symmetry, x')`` with the same energy and the same set of gaps."""
