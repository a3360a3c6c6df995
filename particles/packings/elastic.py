"""Stress and elastic moduli of a packing at zero temperature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import splu

from particles.packings.packing import Packing, check_packing

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moduli:
    """Second derivatives of the energy density by strain, in units of stiffness over area.

    Attributes
    ----------
    bulk : float
        ``B = V d²U/dV²``.
    shear : float
        ``G``, the mean over the independent directions of shear.
    shears : (2,) or (5,)
        ``G`` of each direction: ``xy`` and ``xx - yy``, and in space ``xz``, ``yz`` and
        ``xx + yy - 2zz`` besides.
    floors : (2,) or (5,)
        What is left of each ``G`` where ``p -> 0``, ``(∂U/∂γ)²/(2UV)``: a box of finite size that
        is sheared jams at another packing fraction. It falls as ``1/N``, and is zero where no
        stress shears the packing.
    affine_bulk, affine_shear : float
        What they would be if every body followed the strain.
    """

    bulk: float
    shear: float
    shears: Vector
    floors: Vector
    affine_bulk: float
    affine_shear: float


def stress_tensor(problem: Packing, x: ArrayLike) -> Vector:
    """Return ``σ_ab = (1/V) Σ ∂U/∂r_a r_b``, shape ``(d, d)``: negative under compression.

    ``r`` runs from the first to the second body of each contact. The trace gives the virial
    pressure, ``P = -tr σ/d = Σ Δ(1 - Δ)/(dV)``.

    Examples
    --------
    >>> import numpy as np
    >>> from particles import Discs
    >>> pair = Discs(np.ones(2), np.array([4.0, 2.0]))
    >>> stress_tensor(pair, np.array([1.0, 1.0, 1.9, 1.0])).round(6)
    array([[-0.01125,  0.     ],
           [ 0.     ,  0.     ]])
    """
    check_packing(problem)
    pairs, slopes = problem.near(x)
    pull = np.maximum(slopes.gap, 0.0)[:, None] * slopes.vector
    f = problem.deformation
    stress = np.linalg.solve(f.T, pull.T @ pairs.vector) @ f.T / problem.box.prod()
    return np.asarray(stress, dtype=np.float64)


def stress_anisotropy(problem: Packing, x: ArrayLike) -> float:
    """Return ``|σ - tr σ/d|/(P √d)``, with ``P = -tr σ/d``: 0 if isotropic, ``√(d - 1)`` at most.

    Raises
    ------
    ValueError
        If nothing touches, since there is no stress then.

    Examples
    --------
    One contact pushes along its own line only, which is the most anisotropic stress:

    >>> from particles import Discs
    >>> pair = Discs(np.ones(2), np.array([4.0, 2.0]))
    >>> round(stress_anisotropy(pair, np.array([1.0, 1.0, 1.9, 1.0])), 12)
    1.0
    """
    stress = stress_tensor(problem, x)
    virial = problem.virial_pressure(x)
    if virial == 0.0:
        raise ValueError("expected a state with contacts, got none: compress it first")
    deviator = stress + virial * np.eye(problem.dim)
    return float(np.linalg.norm(deviator) / (virial * np.sqrt(problem.dim)))


def shear_directions(dim: int) -> Vector:
    """Return the traceless symmetric strains, each for an engineering shear of 1: ``tr e² = ½``."""
    directions = []
    for a in range(dim):
        for b in range(a):
            e = np.zeros((dim, dim))
            e[a, b] = e[b, a] = 0.5
            directions.append(e)
    for a in range(1, dim):
        diagonal = np.zeros(dim)
        diagonal[:a], diagonal[a] = 1.0, -a
        directions.append(np.diag(diagonal / np.sqrt(2.0 * a * (a + 1.0))))
    return np.array(directions)


def moduli(problem: Packing, x: ArrayLike) -> Moduli:
    """Return bulk and shear modulus at a minimum, the non-affine relaxation included.

    Under the deformation ``exp(γe)`` of all centres and the box,

        U'' = Σ (e r)ᵀ K (e r) + ∂U/∂r · e²r - Ξᵀ H⁻¹ Ξ,    Ξ = ∂²U/∂x∂γ,

    with ``K = ∂²U/∂r²``: Lemaître and Maloney, J. Stat. Phys. 123, 415 (2006), eq. 21. Rattlers
    are left out, and one body is held in place so that ``H`` can be inverted.

    Parameters
    ----------
    problem : Packing
        The packing.
    x : (n_dof,)
        A minimum of its energy.

    Raises
    ------
    ValueError
        If no body is held in place by its neighbours.

    Examples
    --------
    A triangular lattice of springs of stiffness 1 has ``B = √3/2`` and ``G = √3/4``, of which no
    part is lost to relaxation:

    >>> from particles import Discs
    >>> side = np.array([1.0, 0.75**0.5]) * (1.0 - 1e-7)
    >>> row, column = np.divmod(np.arange(16), 4)
    >>> x = np.column_stack([column + 0.5 * (row % 2), row]) * side
    >>> crystal = moduli(Discs(np.ones(16), 4.0 * side), x.ravel())
    >>> round(2.0 * crystal.bulk / 3**0.5, 5), round(4.0 * crystal.shear / 3**0.5, 5)
    (1.0, 1.0)
    """
    check_packing(problem)
    d, volume = problem.dim, float(problem.box.prod())
    strains = np.concatenate([np.eye(d)[None], shear_directions(d)])
    f = problem.deformation
    of_x = np.asarray(np.linalg.solve(f, strains @ f), dtype=np.float64)
    affine, mixed = _strained(problem, x, of_x)
    relaxed = affine - _relaxation_energy(problem, x, mixed)
    virial = problem.virial_pressure(x)
    scale = np.concatenate([[1.0 / (d * d * volume)], np.full(len(strains) - 1, 1.0 / volume)])
    affine, relaxed = affine * scale, relaxed * scale
    return Moduli(
        bulk=float(relaxed[0] + virial),
        shear=float(relaxed[1:].mean()),
        shears=relaxed[1:],
        floors=_floors(problem, x, strains[1:]),
        affine_bulk=float(affine[0] + virial),
        affine_shear=float(affine[1:].mean()),
    )


def _floors(problem: Packing, x: ArrayLike, strains: Vector) -> Vector:
    """Return ``(∂U/∂γ)²/(2UV)``: the stiffness of ``U ∝ (φ - φ_J(γ))²`` where it vanishes."""
    slopes = problem.box.prod() * np.einsum("kab,ab->k", strains, stress_tensor(problem, x))
    energy = problem.energy_gradient(x)[0]
    return np.asarray(slopes**2 / (2.0 * energy * problem.box.prod()), dtype=np.float64)


def _strained(problem: Packing, x: ArrayLike, strains: Vector) -> tuple[Vector, Vector]:
    """Return ``∂²U/∂γ²`` at fixed relative motion, and ``∂²U/∂x∂γ``, for ``strains`` of ``x``."""
    pairs, slopes = problem.near(x)
    touch = slopes.gap > 0.0
    pairs, d, c = pairs[touch], problem.dim, problem.n_per_body
    pull = slopes.gap[touch, None] * slopes.vector[touch]
    stiffness = problem.stiffness(x, pairs)
    affine, mixed = [], []
    for e in strains:
        moved = pairs.vector @ e.T
        force = np.einsum("kab,kb->ka", stiffness[:, :, :d], moved)
        affine.append((moved * force[:, :d]).sum() + (pull * (moved @ e.T)).sum())
        row = np.zeros((problem.n_bodies, c))
        np.add.at(row[:, :d], pairs.j, force[:, :d])
        np.add.at(row[:, :d], pairs.i, -force[:, :d])
        np.add.at(row[:, d:], pairs.i, force[:, d:c])
        np.add.at(row[:, d:], pairs.j, force[:, c:])
        mixed.append(row.ravel())
    return np.array(affine), np.array(mixed)


def _relaxation_energy(problem: Packing, x: ArrayLike, mixed: Vector) -> Vector:
    """Return ``Ξᵀ H⁻¹ Ξ`` of each row ``Ξ``, over the bodies that are held."""
    free = np.repeat(~problem.rattlers(x), problem.n_per_body)
    if problem.n_angles:
        free &= problem.hessian(x).diagonal() != 0.0
    if not free.any():
        raise ValueError("expected a jammed state, got one that holds no body: compress it first")
    pinned = np.flatnonzero(free)[: problem.dim]
    free[pinned] = False
    kept = np.flatnonzero(free)
    if kept.size == 0:
        return np.zeros(len(mixed))
    hessian = problem.hessian(x).tocsc()[kept][:, kept]
    answer = splu(hessian.tocsc()).solve(mixed[:, kept].T)
    return np.asarray(np.einsum("ka,ak->k", mixed[:, kept], answer), dtype=np.float64)
