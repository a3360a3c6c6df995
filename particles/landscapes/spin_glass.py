"""The spherical p-spin glass: a random homogeneous polynomial on the sphere."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Self

import numpy as np
from numpy.typing import NDArray

from particles.checks import check_generator, floats, whole
from particles.sphere import OnSphere

Vector = NDArray[np.float64]

_LARGEST = 1 << 27  # couplings: 1 GiB, and as much again while they are made symmetric


@dataclass(frozen=True, eq=False)
class SphericalSpinGlass(OnSphere):
    """``H(w) = N^{-(p-1)/2} Σ J_{i1..ip} w_{i1} ... w_{ip}`` on the sphere ``|w|² = N``.

    As for the perceptron, ``H(√N x/|x|)`` is defined for every ``x != 0``: the length of ``x`` is a
    symmetry, and the Hessian on its complement is the Riemannian one at ``|x| = √N``. With
    ``n = x/|x|`` and the couplings made symmetric,

        H = √N J·nᵖ,    ∇H = p √N (J·nᵖ⁻¹ - (J·nᵖ) n)/|x|.

    Parameters
    ----------
    couplings
        ``J``, an array with ``p`` axes of the same length ``N >= 2``, ``p`` at least 2. Only its
        symmetric part matters.

    Raises
    ------
    ValueError
        If the couplings have another shape or are not finite.

    References
    ----------
    A. Crisanti, H.-J. Sommers, Z. Phys. B 87, 341 (1992), with a variance of ``N`` instead of
    ``N/2``: for ``p = 3`` the threshold is at ``E/N = -√(8/3) = -1.632993``.

    Examples
    --------
    >>> glass = SphericalSpinGlass.random(4, 3, np.random.default_rng(0))
    >>> energy, gradient = glass.energy_gradient(np.array([1.0, 2.0, 0.0, 0.0]))
    >>> bool(abs(gradient @ [1.0, 2.0, 0.0, 0.0]) < 1e-14)
    True
    """

    couplings: Vector

    def __post_init__(self) -> None:
        given = floats("couplings", self.couplings)
        if given.ndim < 2 or len(set(given.shape)) != 1 or given.shape[0] < 2:
            raise ValueError(
                f"expected couplings with p >= 2 axes of one length N >= 2, got {given.shape}: "
                "draw them by random"
            )
        if not np.isfinite(given).all():
            raise ValueError("expected finite couplings, got NaN or inf: check the input")
        orders = list(permutations(range(given.ndim)))
        symmetric = np.zeros_like(given)
        for order in orders:
            symmetric += given.transpose(order)
        object.__setattr__(self, "couplings", symmetric / len(orders))

    @classmethod
    def random(cls, n: int, p: int, rng: np.random.Generator) -> Self:
        """Draw ``N^p`` independent couplings ``J ~ N(0, 1)``."""
        check_generator(rng)
        n, p = whole("n", n, 2), whole("p", p, 2)
        if n**p > _LARGEST:
            raise ValueError(
                f"expected at most {_LARGEST} couplings n^p, got n={n}, p={p}: lower one of them"
            )
        return cls(rng.standard_normal((n,) * p))

    @property
    def n_dof(self) -> int:
        """``N``; one of them is the symmetry ``|x|``."""
        return int(self.couplings.shape[0])

    @property
    def p(self) -> int:
        """How many spins interact."""
        return self.couplings.ndim

    @property
    def threshold(self) -> float:
        """Energy per spin ``-2√((p-1)/p)`` above which saddles and not minima dominate."""
        return -2 * math.sqrt((self.p - 1) / self.p)

    @property
    def euler_characteristic(self) -> int:
        """``Σ (-1)^index`` over the critical points on the sphere, ``1 + (-1)^{N-1}``."""
        return 2 * (self.n_dof % 2)

    @property
    def most_critical_points(self) -> int:
        """Largest number of isolated critical points, ``2((p-1)^N - 1)/(p-2)``; ``2N`` at p = 2.

        D. Cartwright, B. Sturmfels, Linear Algebra Appl. 438, 942 (2013).
        """
        if self.p == 2:
            return 2 * self.n_dof
        powers = int((self.p - 1) ** self.n_dof)
        return 2 * (powers - 1) // int(self.p - 2)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``H`` and its gradient, shape ``(N,)``; ``x·∇H = 0``."""
        n, length = self._direction(x)
        force = self._contracted(n) @ n
        energy = float(force @ n)
        root = math.sqrt(self.n_dof)
        return root * energy, (self.p * root / length) * (force - energy * n)

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(N,)`` or ``(k, N)``.

        With ``M = J·nᵖ⁻²``, ``t = M n`` and ``e = t·n`` the Hessian times ``|x|²/√N`` is
        ``p(p-1) M - p²(t nᵀ + n tᵀ) - p e 1 + p(p+2) e n nᵀ``.
        """
        n, length = self._direction(x)
        matrix = self._contracted(n)
        force = matrix @ n
        p, energy = self.p, float(force @ n)
        along = (v @ n)[..., None]
        found = p * (p - 1) * (v @ matrix) - p * energy * v
        found -= p * p * (along * force + (v @ force)[..., None] * n)
        found += p * (p + 2) * energy * along * n
        return np.asarray(found * (math.sqrt(self.n_dof) / length**2))

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield a rescaling and, for even ``p``, the reversal of all spins."""
        yield from super().equivalents(x, rng)
        if self.p % 2 == 0:
            yield "reversal", -x

    @property
    def log_group_order(self) -> float:
        """Return ``ln 2`` for even ``p``, where ``w`` and ``-w`` are one state, else 0."""
        return math.log(2) if self.p % 2 == 0 else 0.0

    def fingerprint(self, x: Vector) -> Vector:
        """Return the direction, up to its sign if ``p`` is even."""
        direction, _ = self._direction(x)
        return np.abs(direction) if self.p % 2 == 0 else direction

    def same(self, x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
        """Tell whether two directions agree within ``tolerance``, up to the sign for even ``p``."""
        gap = self.aligned(x, other) - self.on_sphere(other)
        return bool(np.linalg.norm(gap) < tolerance * math.sqrt(self.n_dof))

    def stabiliser_order(self, x: Vector) -> int:
        """Return 1: no direction is its own opposite."""
        del x
        return 1

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return ``√N x/|x|``, reversed if that is nearer to ``reference`` and ``p`` is even."""
        image = self.on_sphere(x)
        return -image if self.p % 2 == 0 and image @ reference < 0 else image

    def _contracted(self, n: Vector) -> Vector:
        """Return ``M = J·nᵖ⁻²``, shape ``(N, N)``."""
        matrix = self.couplings
        while matrix.ndim > 2:
            matrix = matrix @ n
        return matrix
