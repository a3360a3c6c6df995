"""The spherical perceptron: the simplest system that jams.

``M = α N`` random patterns ``ξ_μ`` each forbid one cap of the sphere ``|x|² = N``,

    Δ_μ(x) = σ - ξ_μ·x / √N     (positive: violated)

For a margin ``σ >= 0`` the allowed region is convex; for ``σ < 0`` it is not, and the transition
is in the universality class of packings of spheres (Franz, Parisi, 2016).
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from particles.checks import check_generator, floats, real, whole
from particles.kernels.patterns import energy_pull
from particles.sphere import OnSphere

Vector = NDArray[np.float64]

# Energy below which the patterns count as satisfied.
ZERO = 1e-20


@dataclass(frozen=True, eq=False)
class Perceptron(OnSphere):
    """Patterns to be classified with margin ``σ`` by a vector on the sphere ``|x|² = N``.

    ``Δ_μ(x) = σ - ξ_μ·x/|x|`` and ``U(x) = ½ Σ_μ max(Δ_μ, 0)²`` are defined for every ``x != 0``:
    the length of ``x`` is a symmetry, so that no constraint has to be carried along. On the
    sphere they are the usual ``σ - ξ_μ·x/√N``.

    Parameters
    ----------
    patterns
        ``ξ``, shape ``(M, N)``, finite. Their sign carries the label.
    sigma
        The margin asked for, of either sign, in units of a pattern's component.

    Raises
    ------
    ValueError
        If ``patterns`` is not a finite matrix with ``M >= 1`` and ``N >= 2``, or ``sigma`` is not
        finite.

    References
    ----------
    S. Franz, G. Parisi, J. Phys. A 49, 145001 (2016), eqs. 1-2.

    Examples
    --------
    >>> problem = Perceptron(np.eye(2), sigma=0.5)
    >>> problem.gaps(np.array([3.0, 4.0]))
    array([-0.1, -0.3])
    """

    patterns: Vector
    sigma: float

    def __post_init__(self) -> None:
        patterns = np.ascontiguousarray(floats("patterns", self.patterns))
        if patterns.ndim != 2 or patterns.shape[0] < 1 or patterns.shape[1] < 2:
            raise ValueError(
                f"expected patterns of shape (M >= 1, N >= 2), got {patterns.shape}: "
                "pass one pattern a row"
            )
        if not np.isfinite(patterns).all():
            raise ValueError("expected finite patterns, got NaN or inf: clean the data")
        if not np.isfinite(real("sigma", self.sigma)):
            raise ValueError(f"expected a finite margin sigma, got {self.sigma}: pass a number")
        object.__setattr__(self, "patterns", patterns)
        object.__setattr__(self, "sigma", float(self.sigma))

    @classmethod
    def random(cls, n: int, alpha: float, sigma: float, rng: np.random.Generator) -> Self:
        """Draw ``round(α N)`` patterns with components ``ξ ~ N(0, 1)``.

        Raises ``ValueError`` unless ``n >= 2`` and ``α N`` rounds to at least one pattern.

        >>> Perceptron.random(20, 4.0, -0.5, np.random.default_rng(0)).patterns.shape
        (80, 20)
        """
        check_generator(rng)
        n = whole("n", n, 2)
        if not np.isfinite(real("alpha", alpha)) or round(alpha * n) < 1:
            raise ValueError(
                f"expected n >= 2 and alpha * n >= 1, got n={n}, alpha={alpha}: raise alpha"
            )
        return cls(rng.standard_normal((round(alpha * n), n)), sigma)

    @property
    def n_dof(self) -> int:
        """``N``, the number of components of ``x``; one of them is the symmetry ``|x|``."""
        return int(self.patterns.shape[1])

    @property
    def alpha(self) -> float:
        """``α = M/N``, the number of patterns per component."""
        return float(self.patterns.shape[0] / self.patterns.shape[1])

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ_μ = σ - ξ_μ·x/|x|``, shape ``(M,)``: positive where violated."""
        direction, _ = self._direction(x)
        return self.sigma - self.patterns @ direction

    def gap_jacobian(self, x: Vector, rows: NDArray[np.intp] | None = None) -> Vector:
        """Return ``∂Δ_μ/∂x = -(ξ_μ - s_μ x/|x|)/|x|`` with ``s_μ = ξ_μ·x/|x|``, dense."""
        direction, length = self._direction(x)
        patterns = self.patterns if rows is None else self.patterns[rows]
        jacobian = np.outer(patterns @ direction, direction)
        jacobian -= patterns
        jacobian /= length
        return jacobian

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(M,)`` are those of a state in the allowed region: `descend`."""
        forces = np.maximum(gaps, 0.0)
        return 0.5 * float(forces @ forces) <= ZERO

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U = -(Σ f ξ - (Σ f s) x/|x|)/|x|``; ``x·∇U = 0`` exactly."""
        direction, length = self._direction(x)
        pull = np.empty(self.n_dof)
        energy, virial = energy_pull(self.patterns, direction, self.sigma, pull)
        return energy, (virial * direction - pull) / length

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v``, the derivative of the gradient, for ``v`` of ``(N,)`` or ``(k, N)``.

        With ``n = x/|x|``, ``w = Σ f ξ`` and ``S = Σ f s = w·n``,

            H = JᵀJ + (w nᵀ + n wᵀ + S 1 - 3 S n nᵀ)/|x|²

        whose block in the tangent space is the Riemannian Hessian of the sphere.
        """
        direction, length = self._direction(x)
        s = self.patterns @ direction
        violated = np.flatnonzero(s < self.sigma)
        f = self.sigma - s[violated]
        pull = f @ self.patterns[violated]
        virial = float(f @ s[violated])
        jacobian = self.gap_jacobian(x, violated)
        along = (v @ direction)[..., None]
        prestress = along * (pull - 3.0 * virial * direction) + virial * v
        prestress += (v @ pull)[..., None] * direction
        product: Vector = (v @ jacobian.T) @ jacobian + prestress / length**2
        return product

    def draw(
        self, x: Vector, ax: Any, forces: Vector | None = None, mode: Vector | None = None
    ) -> None:
        """Draw the patterns around ``x``, and the side that the margin forbids; no mode."""
        from particles.perceptron.picture import draw

        del mode
        draw(self, x, ax, forces)

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ λ ∇²Δ`` for ``forces`` ``(M,)``: `hvp` without ``JᵀJ``, dense, ``(N, N)``."""
        direction, length = self._direction(x)
        pull = forces @ self.patterns
        virial = float(pull @ direction)
        mixed = np.outer(pull - 1.5 * virial * direction, direction)
        found: Vector = mixed + mixed.T
        found[np.diag_indices_from(found)] += virial
        return found / length**2

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ_μ/∂t = 1``, shape ``(M,)``: the load is the margin."""
        return np.ones(self.patterns.shape[0])

    def tightened(self, t: float) -> Self:
        """Return the same patterns with margin ``σ + t``."""
        return replace(self, sigma=self.sigma + t)
