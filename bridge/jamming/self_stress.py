"""States of self-stress of the contacts of a minimum, and how to be rid of all but one."""

import numpy as np
from scipy import linalg, sparse

from bridge.jamming.factor import SingularError
from bridge.jamming.linearised import Linearised, P
from bridge.measure.observables import dense
from bridge.protocols import Indices, Mask, Vector

# Entries of a triangular factor beside the largest that vanish.
_DEPENDENT = 1e-10
# A rate beside the largest that is smaller is rounding.
_STILL = 1e-9


def balanced_forces(here: Linearised[P], rows: Indices, held: Mask) -> Vector:
    """Return positive forces of ``rows`` that all but balance, ``Jᵀ λ = 0`` and ``ℓ·λ = 1``."""
    columns = here.free_of_symmetries(held)
    matrix = np.column_stack([dense(here.jacobian[rows][:, columns]), here.tightening[rows]])
    goal = np.append(np.zeros(len(columns)), 1.0)
    return np.asarray(np.maximum(linalg.lstsq(matrix.T, goal)[0], 0.0))


def independent_contacts(
    here: Linearised[P], rows: Indices, forces: Vector, held: Mask
) -> tuple[Linearised[P], Indices, Vector]:
    """Leave out contacts of a minimum in excess until the others have one state of self-stress.

    Where there are no more than degrees of freedom and one, those of a sparse problem are all left:
    bodies do not touch twice, but patterns may have one output.

    Forces are moved along states of self-stress, ``Jᵀ σ = 0`` and ``ℓ·σ = 0``, in the direction
    that lowers the bound ``-Σ λ Δ`` on the load, until one of them vanishes, or that of a kink
    reaches its bound; its constraint is left out; and so on (Carathéodory's theorem).

    Returns
    -------
    The linearised problem, with such kinks turned; the rows that are left, and their forces.
    """
    columns = here.free_of_symmetries(held)
    few = len(rows) <= len(columns) + 1 - here.surface_symmetries(held)
    if few and sparse.issparse(here.jacobian):
        return here, rows, forces
    matrix = np.column_stack([dense(here.jacobian[rows][:, columns]), here.tightening[rows]])
    stresses = _null_space(matrix.T)
    kept, full = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    gaps = here.gaps[rows]
    while stresses.shape[1]:
        mixture = stresses.T @ gaps
        if np.linalg.norm(mixture) <= _STILL * np.linalg.norm(gaps):
            mixture = np.eye(len(mixture))[0]
        leaving, full[leaving], forces = _unload_one(here, rows, forces, stresses @ mixture, kept)
        # A gap without force takes its kinks with it, which have none either.
        for gone in (leaving, *here.own_kinks(rows, leaving)):
            if kept[gone]:
                kept[gone] = False
                ends = stresses[gone]
                if full[gone]:
                    ends = np.array([here.room(rows, column)[gone] for column in stresses.T])
                stresses = _without(stresses, ends)
    return here.turned(rows[full]), rows[kept], forces[kept]


def _without(stresses: Vector, ends: Vector) -> Vector:
    """Return a basis of the ``stresses``, columns, whose mixture of ``ends`` vanishes."""
    largest = int(np.argmax(np.abs(ends))) if len(ends) else -1
    if largest < 0 or ends[largest] == 0.0:
        return stresses
    rest = np.delete(stresses, largest, axis=1)
    return rest - np.outer(stresses[:, largest], np.delete(ends, largest) / ends[largest])


def _unload_one(
    here: Linearised[P], rows: Indices, forces: Vector, stress: Vector, kept: Mask
) -> tuple[int, bool, Vector]:
    """Add as much of a self-stress as the first bound of a force allows.

    Returns
    -------
    Whose force that is, whether it is the upper bound of a kink, and all forces.
    """
    smallest = _STILL * float(np.abs(stress).max())
    for rates in (stress, -stress):
        room, fills = here.room(rows, forces), here.room(rows, rates)
        falls = kept & (rates < -smallest)
        filled = kept & np.isfinite(room) & (fills < -smallest)
        lower = np.where(falls, forces / np.where(falls, -rates, 1.0), np.inf)
        upper = np.where(filled, room / np.where(filled, -fills, 1.0), np.inf)
        nearest = np.minimum(lower, upper)
        first = int(np.argmin(nearest))
        if nearest[first] < np.inf:
            break
    else:
        raise SingularError("contacts are redundant, but no self-stress unloads one of them")
    reached = np.maximum(forces + float(nearest[first]) * rates, 0.0)
    return first, bool(upper[first] < lower[first]), reached


def _null_space(matrix: Vector) -> Vector:
    """Return a basis of the vectors that ``matrix`` takes to zero, as columns."""
    upper, order = linalg.qr(matrix, mode="r", pivoting=True)
    sizes = np.abs(np.diag(upper))
    rank = int((sizes > _DEPENDENT * sizes.max(initial=0.0)).sum())
    basis = np.zeros((matrix.shape[1], matrix.shape[1] - rank))
    tied = linalg.solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    basis[order[:rank]] = -tied
    basis[order[rank:]] = np.eye(matrix.shape[1] - rank)
    return basis
