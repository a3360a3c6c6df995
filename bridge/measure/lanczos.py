"""The spectrum of a Hessian too large to diagonalise, from products with it alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from bridge.protocols import Landscape, Vector

Product: TypeAlias = Callable[[Vector], Vector]

_BREAKDOWN = 1e-12  # norm of a Krylov vector, relative to the matrix, at which the space is closed


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """Quadrature nodes and weights of the spectral density, one row for each random probe.

    Attributes
    ----------
    nodes, weights
        Ritz values and what they weigh, ``(probes, steps)``; the weights of a probe sum to one.
    n
        Number of eigenvalues.
    """

    nodes: Vector
    weights: Vector
    n: int

    def count_below(self, threshold: float) -> tuple[float, float]:
        """Return the number of eigenvalues below ``threshold``, and its standard error.

        A threshold inside a gap of the spectrum is resolved by few steps; one inside a band is
        smeared over the spacing of the nodes.
        """
        return _mean(self.n * np.where(self.nodes < threshold, self.weights, 0.0).sum(axis=1))

    def moment(self, power: int) -> tuple[float, float]:
        """Return ``tr(M^power)`` and its standard error: exact in a probe below ``2 steps``."""
        return _mean(self.n * (self.weights * self.nodes**power).sum(axis=1))

    def at(self, grid: ArrayLike, width: float) -> tuple[Vector, Vector]:
        """Return the density, normalised to one, on ``grid``, and its standard error.

        Each eigenvalue is a Gaussian of standard deviation ``width``: features that are narrower
        are not resolved, whatever the number of probes.
        """
        distance = (np.asarray(grid)[:, None, None] - self.nodes) / width
        peaks = np.exp(-0.5 * distance**2) / (width * np.sqrt(2 * np.pi))
        densities = (peaks * self.weights).sum(axis=2)
        return densities.mean(axis=1), densities.std(axis=1, ddof=1) / np.sqrt(len(self.nodes))


def spectral_density(
    problem: Landscape,
    x: Vector,
    *,
    probes: int = 10,
    steps: int = 100,
    rng: np.random.Generator | None = None,
) -> SpectralDensity:
    """Return the spectral density of the Hessian at ``x`` by stochastic Lanczos quadrature.

    ``ρ(λ) = (1/n) Σ_i δ(λ - λ_i)`` from ``probes`` random vectors of ``steps`` products each: Golub
    and Meurant (1994); Lin, Saad, Yang, SIAM Rev. 58, 34 (2016). Errors fall as
    ``1/√(n · probes)``; the resolution is about the width of the spectrum over ``steps``.

    Raises
    ------
    ValueError
        If there are fewer than two probes or one step.

    Examples
    --------
    Two discs at nine tenths of their contact have the eigenvalues -2/9, 0, 0 and 2, so that
    ``tr H = 16/9``:

    >>> from particles import Discs
    >>> pair = Discs(np.ones(2), np.array([5.0, 5.0]))
    >>> density = spectral_density(pair, np.array([1.0, 1.0, 1.9, 1.0]), probes=400)
    >>> trace, error = density.moment(1)
    >>> bool(abs(trace - 16 / 9) < 4 * error)
    True
    """
    return lanczos_density(
        lambda v: problem.hvp(x, v), problem.n_dof, probes=probes, steps=steps, rng=rng
    )


def lanczos_density(
    product: Product,
    n: int,
    *,
    probes: int = 10,
    steps: int = 100,
    rng: np.random.Generator | None = None,
) -> SpectralDensity:
    """Return the same for a symmetric matrix given by its ``product`` with rows ``(k, n)``.

    All probes advance together, so that one call makes ``probes`` products. Every new vector is
    orthogonalised twice against all before: memory is ``probes · steps · n`` numbers.

    Raises
    ------
    ValueError
        If there are fewer than two probes or one step.

    Examples
    --------
    >>> density = lanczos_density(lambda v: v * np.arange(8.0), 8, probes=400, steps=8)
    >>> count, error = density.count_below(2.5)
    >>> bool(abs(count - 3) < 4 * error)
    True
    """
    if probes < 2 or steps < 1:
        raise ValueError(
            f"expected probes >= 2 and steps >= 1, got {probes} and {steps}: raise them"
        )
    rng = np.random.default_rng(0) if rng is None else rng
    steps = min(steps, n)
    start = rng.standard_normal((probes, n))
    diagonal, beside = _tridiagonal(product, start, steps)
    nodes, weights = np.zeros((probes, steps)), np.zeros((probes, steps))
    for i in range(probes):
        nodes[i], vectors = linalg.eigh_tridiagonal(diagonal[i], beside[i])
        weights[i] = vectors[0] ** 2
    return SpectralDensity(nodes, weights, n)


def _tridiagonal(product: Product, start: Vector, steps: int) -> tuple[Vector, Vector]:
    """Return the diagonals ``(probes, steps)`` and ``(probes, steps - 1)`` of the projections."""
    probes, n = start.shape
    basis = np.zeros((probes, steps, n))
    diagonal, beside = np.zeros((probes, steps)), np.zeros((probes, steps - 1))
    v = start / np.linalg.norm(start, axis=1, keepdims=True)
    for j in range(steps):
        basis[:, j] = v
        r = product(v)
        diagonal[:, j] = np.einsum("pn,pn->p", v, r)
        if j + 1 == steps:
            break
        size = np.linalg.norm(r, axis=1)
        for _ in range(2):
            along = np.einsum("psn,pn->ps", basis[:, : j + 1], r)
            r = r - np.einsum("psn,ps->pn", basis[:, : j + 1], along)
        length = np.linalg.norm(r, axis=1)
        beside[:, j] = np.where(length > _BREAKDOWN * size, length, 0.0)
        v = np.divide(r, beside[:, j, None], out=np.zeros_like(r), where=beside[:, j, None] > 0)
    return diagonal, beside


def _mean(values: Vector) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
