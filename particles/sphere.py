"""Systems on a sphere, written for every ``x != 0``: the length of ``x`` is their symmetry."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from particles.checks import check_generator, vector

Vector = NDArray[np.float64]


class OnSphere(ABC):
    """A system of ``N`` components whose energy depends on the direction of ``x`` alone."""

    @property
    @abstractmethod
    def n_dof(self) -> int:
        """``N``, the number of components of ``x``; one of them is the symmetry ``|x|``."""

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return a point drawn uniformly from the sphere ``|x|² = N``, shape ``(N,)``."""
        check_generator(rng)
        return self.on_sphere(rng.standard_normal(self.n_dof))

    def on_sphere(self, x: ArrayLike) -> Vector:
        """Return ``√N x/|x|``."""
        return self._direction(x)[0] * float(np.sqrt(self.n_dof))

    def zero_modes(self, x: Vector) -> Vector:
        """Return the radial direction ``x/|x|``, shape ``(1, N)``."""
        return self._direction(x)[0][None]

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield the symmetry of the sphere, ``x -> c x`` with ``c > 0``."""
        yield "rescaling", x * np.exp(rng.uniform(-1.0, 1.0))

    def _direction(self, x: ArrayLike) -> tuple[Vector, float]:
        """Return ``x/|x|`` and ``|x|``."""
        state = vector("x", x, self.n_dof)
        length = float(np.linalg.norm(state))
        if not 0.0 < length < np.inf:
            raise ValueError(f"expected a finite x != 0, got |x| = {length}: pass another state")
        return state / length, length
