"""Closed forms of the spherical perceptron with Gaussian patterns, for ``N -> ∞``.

For a margin ``σ >= 0`` the problem is convex and the replica-symmetric solution is exact, on both
sides of the transition. A pattern has a field ``z ~ N(0, 1)``; where ``z < σ`` it is violated by
``Δ = k(σ - z)`` with one factor ``k`` for all. With ``φ`` and ``Φ`` the normal density and
distribution,

    1/α_J = ∫_{z<σ} Dz (σ - z)² = (1 + σ²)Φ(σ) + σφ(σ),    k = 1 - √(α_J/α)

(Gardner, J. Phys. A 21, 257, 1988; Gardner and Derrida, J. Phys. A 21, 271, 1988, sect. 3). The
density of the Hessian needs the numbers ``c = N_Δ/N`` and ``ζ`` alone, and holds for every ``σ``
(Franz, Parisi, Urbani, Zamponi, PNAS 112, 14539, 2015).

All functions take numbers or arrays.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

Values = NDArray[np.float64]


def capacity(sigma: ArrayLike) -> Values:
    """Return ``α_J(σ) = 1/[(1 + σ²)Φ(σ) + σφ(σ)]``, the transition for ``σ >= 0``.

    Raises
    ------
    ValueError
        If a margin is negative: the space of solutions is not convex then, and this is not the
        transition.

    Examples
    --------
    >>> capacity([0.0, 0.5]).round(4)
    array([2.    , 0.9612])
    """
    s = _convex(sigma)
    return np.asarray(1.0 / ((1.0 + s**2) * ndtr(s) + s * _normal(s)))


def margin_at_capacity(alpha: float) -> float:
    """Return the ``σ >= 0`` at which ``α`` patterns per component are just satisfied.

    Raises
    ------
    ValueError
        Unless ``0 < α <= 2``: more patterns jam at negative margins.

    Examples
    --------
    >>> round(margin_at_capacity(2.0), 12)
    0.0
    """
    if not 0.0 < alpha <= 2.0:
        raise ValueError(
            f"expected 0 < alpha <= 2, where the margin is positive, got {alpha}: pass such as 1"
        )
    highest = float(np.sqrt(1.0 / alpha))  # (1 + σ²)Φ + σφ > σ²
    return float(brentq(lambda s: 1.0 / capacity(s) - 1.0 / alpha, 0.0, highest + 1.0, xtol=1e-14))


def contacts_at_jamming(sigma: ArrayLike) -> Values:
    """Return the contacts per component at jamming: ``α_J Φ(σ)``, or 1 for ``σ < 0``.

    Below ``σ = 0`` the point is isostatic: ``N - 1`` degrees of freedom and one self-stress.

    Examples
    --------
    >>> contacts_at_jamming([-0.5, 0.0, 0.5]).round(3)
    array([1.   , 1.   , 0.665])
    """
    s = np.asarray(sigma, dtype=np.float64)
    convex = np.maximum(s, 0.0)
    return np.where(s < 0.0, 1.0, capacity(convex) * ndtr(convex))


def violated_per_component(alpha: ArrayLike, sigma: ArrayLike) -> Values:
    """Return ``c = N_Δ/N = α Φ(σ)`` above the transition and 0 below it, ``σ >= 0``."""
    s = _convex(sigma)
    return np.where(_stiffening(alpha, s) > 0.0, np.asarray(alpha) * ndtr(s), 0.0)


def energy_per_component(alpha: ArrayLike, sigma: ArrayLike) -> Values:
    """Return ``U/N = ½(√(α/α_J) - 1)²`` above the transition and 0 below it, ``σ >= 0``.

    Examples
    --------
    >>> energy_per_component([1.0, 2.0, 8.0], sigma=0.0)
    array([0. , 0. , 0.5])
    """
    growth = np.sqrt(np.asarray(alpha) / capacity(sigma))
    return np.asarray(0.5 * np.maximum(growth - 1.0, 0.0) ** 2)


def pressure(alpha: ArrayLike, sigma: ArrayLike) -> Values:
    """Return ``p = Σ max(Δ, 0)/N -> α k (σΦ(σ) + φ(σ))`` above the transition, ``σ >= 0``."""
    s = _convex(sigma)
    return np.asarray(np.asarray(alpha) * _stiffening(alpha, s) * (s * ndtr(s) + _normal(s)))


def prestress(alpha: ArrayLike, sigma: ArrayLike) -> Values:
    """Return ``ζ = k² α/α_J - k α σ(σΦ(σ) + φ(σ))`` above the transition, ``σ >= 0``."""
    k = _stiffening(alpha, _convex(sigma))
    return np.asarray(
        k**2 * np.asarray(alpha) / capacity(sigma) - np.asarray(sigma) * pressure(alpha, sigma)
    )


def margin_density(h: ArrayLike, sigma: ArrayLike) -> Values:
    """Return the density of ``h = -Δ > 0`` of a pattern at jamming, ``φ(h + σ)``, ``σ >= 0``.

    It integrates to ``1 - Φ(σ)``: the other patterns are contacts.
    """
    margin = np.asarray(h, dtype=np.float64)
    return np.where(margin > 0.0, _normal(margin + _convex(sigma)), 0.0)


def force_density(f: ArrayLike, sigma: ArrayLike) -> Values:
    """Return the density of the forces at jamming, in units of their mean, ``σ >= 0``.

    A contact's force is ``σ - z > 0``, a normal number cut off: ``P(0) > 0``, there are no power
    laws on this side.
    """
    s = _convex(sigma)
    mean = s + _normal(s) / ndtr(s)
    force = np.asarray(f, dtype=np.float64)
    return np.where(force > 0.0, mean * _normal(mean * force - s) / ndtr(s), 0.0)


def prestress_of(gaps: ArrayLike, sigma: float, n: int) -> float:
    """Return ``ζ = (1/N) Σ h(h + σ)`` over violated patterns, ``h = -Δ``, of a state.

    ``gaps`` is ``(M,)``, positive where violated; ``n`` is ``N``.
    """
    h = -np.asarray(gaps, dtype=np.float64)
    violated = h[h < 0.0]
    return float(violated @ (violated + sigma)) / n


def hessian_edges(c: ArrayLike, zeta: ArrayLike) -> tuple[Values, Values]:
    """Return the edges ``λ± = (√c ± 1)² - ζ`` of the Hessian's band."""
    root = np.sqrt(np.asarray(c, dtype=np.float64))
    shift = np.asarray(zeta, dtype=np.float64)
    return np.asarray((root - 1.0) ** 2 - shift), np.asarray((root + 1.0) ** 2 - shift)


def hessian_peak(c: ArrayLike) -> Values:
    """Return the weight ``max(1 - c, 0)`` of the delta peak at ``λ = -ζ``."""
    return np.maximum(1.0 - np.asarray(c, dtype=np.float64), 0.0)


def hessian_density(eigenvalue: ArrayLike, c: float, zeta: float) -> Values:
    """Return the band of the density of the Hessian on the tangent space.

    The Hessian is ``(1/N) Σ_viol ξξᵀ - ζ``, so that its density is that of Marčenko and Pastur,

        ρ(λ) = √((λ - λ₋)(λ₊ - λ)) / (2π(λ + ζ))

    and a peak of weight `hessian_peak` at ``-ζ``.

    Parameters
    ----------
    eigenvalue
        ``λ``.
    c
        ``N_Δ/N``.
    zeta
        ``ζ``, see `prestress_of`.
    """
    x = np.asarray(eigenvalue, dtype=np.float64)
    low, high = hessian_edges(c, zeta)
    inside = (x > low) & (x < high) & (x + zeta > 0.0)
    band = np.sqrt(np.where(inside, (x - low) * (high - x), 0.0))
    return np.asarray(band / (2.0 * np.pi * np.where(inside, x + zeta, 1.0)))


def marginal_prestress(c: ArrayLike) -> Values:
    """Return ``ζ = (√c - 1)²``, where the band of the Hessian touches zero: marginal stability.

    For ``σ < 0`` the whole unsatisfiable phase lies on this line.
    """
    return np.asarray((np.sqrt(np.asarray(c, dtype=np.float64)) - 1.0) ** 2)


def _convex(sigma: ArrayLike) -> Values:
    s = np.asarray(sigma, dtype=np.float64)
    if not (s >= 0.0).all():
        raise ValueError(
            f"expected sigma >= 0, where the closed form is exact, got {s.min()}: "
            "measure it by descents or at exact jamming points"
        )
    return s


def _stiffening(alpha: ArrayLike, sigma: Values) -> Values:
    """Return ``k = 1 - √(α_J/α)``, zero below the transition."""
    return np.asarray(np.maximum(1.0 - np.sqrt(capacity(sigma) / np.asarray(alpha)), 0.0))


def _normal(x: Values) -> Values:
    return np.asarray(np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi))
