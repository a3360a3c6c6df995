"""The learning problem with the norm of the weights held, which gives it a minimum."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_kind, real
from networks.models.branch import NetworkBranch
from networks.models.hinge import HingeNetwork
from networks.models.module import ModuleProblem

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]

# Change of |w|, relative, by a rescaling of unit length: below this, states of one norm and one
# function lie within this part of |w| of each other.
_BALANCED = 1e-4


@dataclass(frozen=True, eq=False)
class SphericalNetwork:
    """The problem of a network or a module on the sphere ``|w| = R``: ``Δ(R x/|x|)``.

    Weights of tanh units run away where the patterns can almost be separated, and so do those of
    a pair of rectifiers that together approach a step: the infimum is at infinity. On a sphere
    there is a minimum. The radial motion is flat, as in the perceptron. Rescalings of rectifiers
    change the norm: at a minimum that the norm holds back, with a multiplier ``ν > 0``, every unit
    has the scale that costs the least, and ``2ν`` is the curvature along each rescaling. It is the
    norm that resists them and no constraint, so that they are no degrees of freedom to count:
    `unrestricted` says so.

    Parameters
    ----------
    free
        The network without the constraint.
    radius
        The norm ``R`` of all parameters, biases included.

    Examples
    --------
    >>> from networks import Mlp, random_patterns
    >>> rng = np.random.default_rng(0)
    >>> free = HingeNetwork(Mlp(5, 5, 2, "tanh"), random_patterns(20, 5, rng))
    >>> x = free.mlp.init(rng)
    >>> problem = SphericalNetwork(free, radius=3.0)
    >>> bool(np.allclose(problem.gaps(x), problem.gaps(2 * x)))
    True
    """

    free: HingeNetwork | ModuleProblem
    radius: float

    def __post_init__(self) -> None:
        if not isinstance(self.free, ModuleProblem):
            check_kind("free", self.free, HingeNetwork, "pass HingeNetwork(mlp, patterns)")
        if not 0.0 < real("radius", self.radius) < np.inf:
            raise ValueError(f"expected a radius > 0, got {self.radius}: pass np.linalg.norm(x)")

    @property
    def n_dof(self) -> int:
        """Number of parameters, biases included."""
        return self.free.n_dof

    @property
    def load(self) -> float:
        """The load ``P/N``: patterns per weight, biases not counted."""
        return self.free.load

    def on_sphere(self, x: Vector) -> Vector:
        """Return the weights ``R x/|x|``, ``(n_dof,)``."""
        return self._slope(x) * x

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ_μ = margin - y_μ f(x_μ; R x/|x|)``, shape ``(P,)``."""
        return self.free.gaps(self.on_sphere(x))

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U = (R/|x|) P g``, ``P`` the projector off ``x``, ``(n_dof,)``."""
        energy, g = self.free.energy_gradient(self.on_sphere(x))
        return energy, self._slope(x) * _tangent(x, g)

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ_μ/∂x``, dense: ``(P, n_dof)``, or ``(len(rows), n_dof)``."""
        return self._slope(x) * _tangent(x, self.free.gap_jacobian(self.on_sphere(x), rows))

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H(x) v``, shape of ``v``: ``(n_dof,)``, or ``(k, n_dof)`` for ``k`` directions.

        With ``u = x/|x|`` and ``s = R/|x|``:
        ``H = s² P H_w P - (s/|x|) [(g·u) P + u (P g)ᵀ + (P g) uᵀ]``.
        """
        w, s, length = self.on_sphere(x), self._slope(x), np.linalg.norm(x)
        u = x / length
        g = self.free.energy_gradient(w)[1]
        along = _tangent(x, v)
        bent = (g @ u) * along + np.multiply.outer(along @ g, u)
        bent += np.multiply.outer(v @ u, _tangent(x, g))
        curved = _tangent(x, self.free.hvp(w, along))
        return np.asarray(s * s * curved - (s / length) * bent)

    def hessian(self, x: Vector) -> Vector:
        """Return ``H(x)``, dense, ``(n_dof, n_dof)``: the formula of ``hvp``."""
        w = self.on_sphere(x)
        return self._bent(x, self.free.hessian(w), self.free.energy_gradient(w)[1])

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ_μ λ_μ ∇²Δ_μ``, dense, ``(n_dof, n_dof)``, for ``forces`` ``(P,)``."""
        w, rows = self.on_sphere(x), np.flatnonzero(forces)
        pull = forces[rows] @ self.free.gap_jacobian(w, rows)
        return self._bent(x, self.free.curvature(w, forces), pull)

    def kinks(self, x: Vector) -> Vector:
        """Return the distance ``z - c`` of each preactivation from each kink, ``(K,)``."""
        return self.free.kinks(self.on_sphere(x))

    def kink_owners(self) -> Indices:
        """Return the pattern of each kink, ``(K,)``."""
        return self.free.kink_owners()

    def kink_jacobian(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z_k/∂x`` of some kinks, dense, ``(len(kinks), n_dof)``."""
        return self._slope(x) * _tangent(x, self.free.kink_jacobian(self.on_sphere(x), kinks))

    def kink_strengths(self, x: Vector) -> Vector:
        """Return ``c_k = ∂Δ/∂max(z_k, 0)`` of every kink, ``(K,)``."""
        return self.free.kink_strengths(self.on_sphere(x))

    def kink_couplings(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z_j/∂max(z_k, 0)`` of some kinks, ``(len(kinks), len(kinks))``."""
        if isinstance(self.free, ModuleProblem | NetworkBranch):
            return self.free.kink_couplings(self.on_sphere(x), kinks)
        if len(kinks):
            raise TypeError("expected a branch, got a network: pass problem.branch(x, held, masks)")
        return np.zeros((0, 0))

    def branch(self, x: Vector, held: Indices, masks: Vector) -> "SphericalNetwork":
        """Return the network whose units keep the slopes of ``x``, and where ``held`` the masks."""
        return replace(self, free=self.free.branch(self.on_sphere(x), held, masks))

    def zero_modes(self, x: Vector) -> Vector:
        """Return the radial direction, and symmetries that keep the norm, ``(k, n_dof)``.

        The rescalings of ``h`` rectifiers take a state along a surface of networks that are one
        function, and it meets the sphere in a surface of ``h - 1`` dimensions: there one unit may
        pay for another. Where units are balanced, as at a minimum, that has shrunk to a point.
        Units that are straight on all patterns rotate freely.
        """
        radial = np.asarray(x / np.linalg.norm(x))[None]
        rescalings = self.free.zero_modes(self.on_sphere(x))
        slopes = rescalings @ radial[0]
        modes = radial
        if len(slopes) and np.linalg.norm(slopes) >= _BALANCED:
            across = np.linalg.svd(slopes[None], full_matrices=True)[2][1:]
            modes = np.concatenate([radial, across @ rescalings])
        if isinstance(self.free, ModuleProblem):
            return modes
        rotations = self.free.rotations(self.on_sphere(x))
        if not len(rotations):
            return modes
        _, sizes, rows = np.linalg.svd(np.concatenate([modes, rotations]), full_matrices=False)
        return np.asarray(rows[sizes > 1e-10])

    def unrestricted(self, x: Vector) -> tuple[HingeNetwork | ModuleProblem, Vector]:
        """Return the network whose norm is free, and the weights ``R x/|x|``."""
        return self.free, self.on_sphere(x)

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(P,)`` are those of a network that fits."""
        return self.free.satisfied(gaps)

    def frozen(self, x: Vector) -> list[Indices]:
        """Return the parameters of each dead unit."""
        return self.free.frozen(self.on_sphere(x))

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield the symmetries that keep the norm."""
        for name, other in self.free.equivalents(x, rng):
            if not name.startswith("rescaling"):
                yield name, other

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ/∂t = 1`` for each pattern, shape ``(P,)``."""
        return self.free.tightening(x)

    def tightened(self, t: float) -> "SphericalNetwork":
        """Return the same problem with ``t`` added to the margin asked for."""
        return replace(self, free=self.free.tightened(t))

    def _bent(self, x: Vector, flat: Vector, g: Vector) -> Vector:
        """Return the second derivative on the sphere from that of the weights and ``g``: `hvp`."""
        length = np.linalg.norm(x)
        s, u = self._slope(x), x / length
        mixed = np.multiply.outer(_tangent(x, g), u)
        projector = np.eye(len(x)) - np.multiply.outer(u, u)
        curved = _tangent(x, _tangent(x, flat).T)
        return np.asarray(s * s * curved - (s / length) * ((g @ u) * projector + mixed + mixed.T))

    def _slope(self, x: Vector) -> float:
        length = float(np.linalg.norm(x))
        if not 0 < length < np.inf:
            raise ValueError(
                f"expected finite parameters that are not all zero, got |x| = {length}: "
                "pass another state"
            )
        return self.radius / length


def _tangent(x: Vector, v: Vector) -> Vector:
    """Return ``v``, or the rows of ``v``, without the component along ``x``."""
    u = x / np.linalg.norm(x)
    return np.asarray(v - np.multiply.outer(v @ u, u))
