"""Bucklers: bodies with just enough contacts to be held, and the forces that act on them.

A body of ``d`` variables needs ``d + 1`` contacts. One that has no more buckles when the weakest
of them opens: an excitation of one body alone, whose forces follow a power law of their own
(Charbonneau, Corwin, Parisi, Zamponi, Phys. Rev. Lett. 114, 125504, 2015).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bridge.protocols import Indices, Mask, Matrix

# Exponents of weak forces on bucklers and on all others, in mean field and above.
THETA_BUCKLERS = 0.17462
THETA_EXTENDED = 0.42311


@dataclass(frozen=True, eq=False)
class Bucklers:
    """Which bodies are bucklers, and which contacts act on one.

    Attributes
    ----------
    bodies
        The variables of each body, in no particular order.
    is_buckler
        Mask over ``bodies``.
    contacts
        Mask ``(n_contacts,)`` of the contacts with a buckler.
    """

    bodies: list[Indices]
    is_buckler: Mask
    contacts: Mask


def find_bucklers(jacobian: Matrix) -> Bucklers:
    """Tell the contacts of bucklers from all others.

    Parameters
    ----------
    jacobian
        ``∂Δ/∂x`` of the contacts alone, ``(n_contacts, n_dof)``. A body is a set of variables
        that the same contacts act on, as the coordinates of one disc are; where all contacts act
        on all variables, as in a perceptron, there is one body, and no buckler.

    Examples
    --------
    A disc with three contacts and one with four, among fixed ones:

    >>> rows = np.repeat([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], [3, 4], axis=0)
    >>> found = find_bucklers(rows)
    >>> found.is_buckler.tolist(), int(found.contacts.sum())
    ([True, False], 3)
    """
    pattern = sparse.csc_array(jacobian)
    pattern.sort_indices()
    acting = np.split(pattern.indices, pattern.indptr[1:-1])
    members: dict[tuple[int, ...], list[int]] = {}  # the variables that the same contacts act on
    for variable, touching in enumerate(acting):
        if len(touching):
            members.setdefault(tuple(touching.tolist()), []).append(variable)
    several = len(members) > 1
    is_buckler = [several and len(rows) == len(body) + 1 for rows, body in members.items()]
    contacts = np.zeros(pattern.shape[0], dtype=bool)
    for rows, buckler in zip(members, is_buckler, strict=True):
        if buckler:
            contacts[list(rows)] = True
    bodies = [np.array(body, dtype=np.intp) for body in members.values()]
    return Bucklers(bodies, np.array(is_buckler, dtype=bool), contacts)
