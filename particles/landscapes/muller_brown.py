"""The Müller-Brown surface: three minima and two saddles in the plane."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from particles.checks import check_generator, vector

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class MullerBrown:
    """``E(x, y) = Σ_k A_k exp[a_k (x-x_k)² + b_k (x-x_k)(y-y_k) + c_k (y-y_k)²]``, four terms.

    It grows without bound in every direction, so ``Σ (-1)^index = 1`` over its stationary points.

    References
    ----------
    K. Müller, L. D. Brown, Theor. Chim. Acta 53, 75 (1979).

    Examples
    --------
    >>> energy, _ = MullerBrown().energy_gradient(np.array([-0.558224, 1.441726]))
    >>> round(energy, 4)
    -146.6995
    """

    n_dof: ClassVar[int] = 2
    euler_characteristic: ClassVar[int] = 1

    _height: ClassVar[Vector] = np.array([-200.0, -100.0, -170.0, 15.0])
    _form: ClassVar[Vector] = np.array(
        [[-1.0, 0.0, -10.0], [-1.0, 0.0, -10.0], [-6.5, 11.0, -6.5], [0.7, 0.6, 0.7]]
    )
    _centre: ClassVar[Vector] = np.array([[1.0, 0.0], [0.0, 0.5], [-0.5, 1.5], [-1.0, 1.0]])

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``E`` and its gradient, shape ``(2,)``."""
        terms, slopes = self._terms(x)
        return float(terms.sum()), terms @ slopes

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(2,)`` or ``(k, 2)``."""
        terms, slopes = self._terms(x)
        weighted = terms @ self._form
        hessian = (slopes.T * terms) @ slopes
        hessian += np.array([[2 * weighted[0], weighted[1]], [weighted[1], 2 * weighted[2]]])
        return np.asarray(v @ hessian)

    def zero_modes(self, x: Vector) -> Vector:
        """Return an empty ``(0, 2)``: the surface has no symmetry."""
        del x
        return np.zeros((0, 2))

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return a point drawn uniformly from the region of the minima, shape ``(2,)``."""
        check_generator(rng)
        return rng.uniform([-1.5, -0.5], [1.2, 2.0])

    def _terms(self, x: Vector) -> tuple[Vector, Vector]:
        """Return the four terms and the gradients of their exponents."""
        x = vector("x", x, 2)
        if not np.isfinite(x).all():
            raise ValueError(f"expected a finite point, got {x}: correct it")
        u, w = (x - self._centre).T
        a, b, c = self._form.T
        terms = self._height * np.exp(a * u * u + b * u * w + c * w * w)
        return terms, np.stack([2 * a * u + b * w, b * u + 2 * c * w], axis=1)
