"""Any constraint problem at a fixed norm of its variables.

A network that is not linear in its last layer alone can meet any margin by growing its weights:
only at a fixed norm does the margin have a largest value, as on the sphere of a perceptron.
"""

from dataclasses import dataclass, replace
from typing import Generic, Self

import numpy as np
from scipy import linalg

from bridge.exact.linearised import P
from bridge.observables import dense
from bridge.protocols import Indices, Vector


@dataclass(frozen=True, eq=False)
class OnSphere(Generic[P]):
    """``Δ_μ(R x/|x|)`` for a problem with gaps ``Δ_μ(x)``: the length of ``x`` is a symmetry.

    Parameters
    ----------
    problem
        The problem, of any symmetries.
    radius
        ``R``, in the units of ``x``.

    Raises
    ------
    ValueError
        If the radius is not positive.

    Examples
    --------
    >>> from particles.perceptron import Perceptron
    >>> problem = OnSphere(Perceptron(np.eye(2), sigma=0.5), radius=2.0)
    >>> problem.gaps(np.array([3.0, 4.0]))
    array([-0.1, -0.3])
    """

    problem: P
    radius: float

    def __post_init__(self) -> None:
        if not 0.0 < self.radius < np.inf:
            raise ValueError(f"expected a radius > 0, got {self.radius}: pass np.linalg.norm(x)")

    @property
    def n_dof(self) -> int:
        """Number of variables; one of them is the symmetry ``|x|``."""
        return self.problem.n_dof

    def on_sphere(self, x: Vector) -> Vector:
        """Return ``R x/|x|``."""
        return self._place(x)[0]

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ(R x/|x|)``, ``(m,)``."""
        return self.problem.gaps(self.on_sphere(x))

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ/∂x = s J (1 - n nᵀ)`` with ``n = x/|x|`` and ``s = R/|x|``, dense."""
        y, n, s = self._place(x)
        jacobian = s * dense(self.problem.gap_jacobian(y, rows))
        return np.asarray(jacobian - np.outer(jacobian @ n, n))

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U`` and ``∇U = s (1 - n nᵀ) g``, with ``g`` the gradient at ``R x/|x|``."""
        y, n, s = self._place(x)
        energy, gradient = self.problem.energy_gradient(y)
        return energy, s * (gradient - (gradient @ n) * n)

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of ``(n_dof,)`` or ``(k, n_dof)``.

        With ``P = 1 - n nᵀ`` and the gradient ``g`` and Hessian ``H'`` at ``R x/|x|``

            H = s² P H' P - (s²/R) [(n·g) P + P g nᵀ + n (P g)ᵀ]
        """
        y, n, s = self._place(x)
        _, gradient = self.problem.energy_gradient(y)
        radial = float(gradient @ n)
        tangential = gradient - radial * n
        along = (v @ n)[..., None]
        across = v - along * n
        product = self.problem.hvp(y, across)
        product = product - (product @ n)[..., None] * n
        turned = radial * across + along * tangential + (v @ tangential)[..., None] * n
        return np.asarray(s**2 * (product - turned / self.radius))

    def zero_modes(self, x: Vector) -> Vector:
        """Return the radial direction, and the symmetries that keep the length, ``(k, n_dof)``."""
        y, n, _ = self._place(x)
        modes = self.problem.zero_modes(y)
        along = modes @ n
        if np.abs(along).max(initial=0.0) > 1e-12:
            modes = linalg.null_space(along[None]).T @ modes
        return np.concatenate([n[None], modes])

    def load_direction(self, x: Vector) -> Vector:
        """Return ``∂Δ_μ/∂t``, ``(m,)``."""
        return self.problem.load_direction(self.on_sphere(x))

    def loaded(self, t: float) -> Self:
        """Return the same with the load changed by ``t``."""
        return replace(self, problem=self.problem.loaded(t))

    def _place(self, x: Vector) -> tuple[Vector, Vector, float]:
        """Return ``R x/|x|``, ``x/|x|`` and ``R/|x|``."""
        length = float(np.linalg.norm(x))
        if not 0.0 < length < np.inf:
            raise ValueError(f"expected a finite x other than zero, got |x| = {length}")
        return x * (self.radius / length), x / length, self.radius / length
