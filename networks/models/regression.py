"""The non-linear regression of Ballard et al.: five parameters, many minima."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from networks.checks import check_generator, real, whole

Vector: TypeAlias = NDArray[np.float64]

TRUE_PARAMETERS = (0.1, 2.13, 0.0, 1.34, 0.0)  # those behind the data of the source


@dataclass(frozen=True, eq=False)
class Regression:
    """``E(q) = mean (y - f(x; q))²`` with ``f = e^{-q₁x} sin(q₂x + q₃) sin(q₄x + q₅)``.

    Symmetries: the two factors may be exchanged; each may change the sign of its frequency and
    reflect its phase, ``(q, φ) -> (-q, π - φ)``; both phases may grow by ``π``, each by ``2π``.

    Parameters
    ----------
    x, y
        Places and values, shape ``(n,)`` each.

    Raises
    ------
    ValueError
        If the shapes disagree or a number is not finite.

    References
    ----------
    A. J. Ballard et al., Phys. Chem. Chem. Phys. 19, 12585 (2017), section 3.
    """

    x: Vector
    y: Vector

    n_dof: ClassVar[int] = 5
    log_group_order: ClassVar[float] = float("inf")  # the phases are periodic

    def __post_init__(self) -> None:
        if self.x.ndim != 1 or self.x.shape != self.y.shape or not self.x.size:
            raise ValueError(
                f"expected x and y of one shape (n,), got {self.x.shape}, {self.y.shape}: "
                "pass a value for each place"
            )
        if not (np.isfinite(self.x).all() and np.isfinite(self.y).all()):
            raise ValueError("expected finite data, got NaN or inf: clean the data")

    @classmethod
    def random(cls, noise: float, points: int, rng: np.random.Generator) -> Self:
        """Draw data on ``[0, 3π]`` from `TRUE_PARAMETERS`, with normal noise."""
        check_generator(rng)
        points = whole("points", points, 5)
        if not 0 <= real("noise", noise) < np.inf:
            raise ValueError(f"expected a finite noise >= 0, got {noise}: pass such as 0.02")
        x = np.linspace(0.0, 3 * np.pi, points)
        clean = _values(np.array(TRUE_PARAMETERS), x)[0]
        return cls(x, clean + noise * rng.standard_normal(points))

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return a small damping, frequencies up to 3 and any phases, shape ``(5,)``."""
        check_generator(rng)
        damping, phases = rng.uniform(-0.1, 0.4), rng.uniform(0, 2 * np.pi, 2)
        one, two = rng.uniform(0.0, 3.0, 2)
        return np.array([damping, one, phases[0], two, phases[1]])

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``E`` and its gradient, shape ``(5,)``."""
        f, slopes, _ = self._derivatives(x)
        residual = f - self.y
        return float(residual @ residual) / len(f), 2 * slopes @ residual / len(f)

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(5,)`` or ``(k, 5)``."""
        f, slopes, curvature = self._derivatives(x)
        hessian = 2 * (slopes @ slopes.T + curvature @ (f - self.y)) / len(f)
        return np.asarray(v @ hessian)

    def zero_modes(self, x: Vector) -> Vector:
        """Return an empty ``(0, 5)``: no continuous symmetry."""
        del x
        return np.zeros((0, 5))

    def fingerprint(self, x: Vector) -> Vector:
        """Return the function at the data, and the damping."""
        return np.append(_values(x, self.x)[0], x[0])

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return the image of ``x`` nearest to ``reference``."""
        images = [_wrapped(image, reference) for image in _images(x)]
        return min(images, key=lambda image: float(np.linalg.norm(image - reference)))

    def same(self, x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
        """Tell whether the function and the damping agree within ``tolerance``.

        At equidistant places this includes aliases, which no energy can tell apart.
        """
        gap = self.fingerprint(x) - self.fingerprint(other)
        return bool(np.abs(gap).max() < tolerance)

    def stabiliser_order(self, x: Vector) -> int:
        """Return how many of the 16 images modulo ``2π`` are ``x`` itself."""
        gaps = [np.abs(_wrapped(image, x) - x).max() for image in _images(x)]
        return max(1, sum(bool(gap < 1e-3) for gap in gaps))

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield every image, with a random number of turns of each phase."""
        for image in _images(x):
            turns = 2 * np.pi * rng.integers(-2, 3, 2)
            yield "image", image + np.array([0, 0, turns[0], 0, turns[1]])

    def _derivatives(self, q: Vector) -> tuple[Vector, Vector, Vector]:
        """Return ``f`` ``(n,)``, its gradient ``(5, n)`` and its Hessian ``(5, 5, n)``."""
        if q.shape != (5,) or not np.isfinite(q).all():
            raise ValueError(f"expected finite parameters of shape (5,), got {q}")
        with np.errstate(over="ignore", invalid="ignore"):
            f, by_a, by_b, by_ab = _values(q, self.x)
        if not np.isfinite(f).all():
            raise ValueError(f"expected a finite function, got an overflow at damping {q[0]:.3g}")
        one = np.ones_like(self.x)
        # How each parameter enters: the damping, or one of the two angles.
        factor = np.array([-self.x, self.x, one, self.x, one])
        kind = (0, 1, 1, 2, 2)
        first = (f, by_a, by_b)
        second = ((f, by_a, by_b), (by_a, -f, by_ab), (by_b, by_ab, -f))
        slopes = factor * np.array([first[k] for k in kind])
        rows = [[second[k][m] for m in kind] for k in kind]
        return f, slopes, factor[:, None] * factor[None, :] * np.array(rows)


def _values(q: Vector, x: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    """Return ``f``, its derivatives by the two angles, and the mixed one."""
    decay = np.exp(-q[0] * x)
    a, b = q[1] * x + q[2], q[3] * x + q[4]
    sin_a, cos_a, sin_b, cos_b = np.sin(a), np.cos(a), np.sin(b), np.cos(b)
    return (
        decay * sin_a * sin_b,
        decay * cos_a * sin_b,
        decay * sin_a * cos_b,
        decay * cos_a * cos_b,
    )


def _images(q: Vector) -> Iterator[Vector]:
    """Yield the 16 images modulo ``2π``: exchange, two reflections, and a common half turn."""
    for exchanged, one, two, half in product((False, True), repeat=4):
        a, b = (q[3:5], q[1:3]) if exchanged else (q[1:3], q[3:5])
        a = np.array([-a[0], np.pi - a[1]]) if one else a
        b = np.array([-b[0], np.pi - b[1]]) if two else b
        turn = np.array([0.0, np.pi if half else 0.0])
        yield np.concatenate([q[:1], a + turn, b + turn])


def _wrapped(q: Vector, reference: Vector) -> Vector:
    """Return ``q`` with both phases within half a turn of the reference."""
    turns = np.round((q - reference) / (2 * np.pi))
    turns[[0, 1, 3]] = 0.0
    return np.asarray(q - 2 * np.pi * turns)
