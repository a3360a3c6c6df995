"""A classifier with one tanh hidden layer, cross-entropy and weight decay."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from networks.checks import check_generator, check_kind, real, whole
from networks.data.outcomes import Outcomes

Vector: TypeAlias = NDArray[np.float64]

_FEW = 6  # directions up to which products are cheaper than the dense Hessian


@dataclass(frozen=True, eq=False)
class Classifier:
    """``E(w) = -mean ln p_c + λ|w|²`` with ``p = softmax(y)`` and ``y = b + W₁ tanh(W₂ x + b₂)``.

    The flat vector ``w`` holds ``[W₂, b₂]``, ``(H, d + 1)``, and then ``[W₁, b]``, ``(C, H + 1)``,
    row by row. Symmetries: the ``2^H H!`` signs and orders of the hidden units; and, at ``λ = 0``
    only, a shift of all outputs, by every column of ``[W₁, b]``: eigenvalue ``2λ``, exactly.

    Parameters
    ----------
    data
        Patterns and their classes.
    hidden
        Number ``H`` of hidden units, at least 1.
    l2
        ``λ >= 0``.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    A. J. Ballard et al., Phys. Chem. Chem. Phys. 19, 12585 (2017), eqs. 1-4.

    Examples
    --------
    >>> data = Outcomes(np.array([[0.0], [1.0]]), np.array([0, 1]), 2)
    >>> net = Classifier(data, hidden=2, l2=0.0)
    >>> round(net.energy_gradient(np.zeros(net.n_dof))[0], 6)  # ln 2
    0.693147
    """

    data: Outcomes
    hidden: int
    l2: float = 1e-3

    def __post_init__(self) -> None:
        check_kind("data", self.data, Outcomes, "pass Outcomes(x, label, n_classes)")
        object.__setattr__(self, "hidden", whole("hidden", self.hidden, 1))
        if not 0 <= real("l2", self.l2) < math.inf:
            raise ValueError(f"expected a finite l2 >= 0, got {self.l2}: pass such as 1e-3")
        ones = np.ones((len(self.data), 1))
        target = np.eye(self.data.n_classes)[self.data.label]
        object.__setattr__(self, "_inputs", np.hstack([self.data.x, ones]))
        object.__setattr__(self, "_target", target)

    _inputs: Vector = None  # type: ignore[assignment]
    _target: Vector = None  # type: ignore[assignment]

    @property
    def n_dof(self) -> int:
        """Number of parameters, ``H(d + 1) + C(H + 1)``."""
        return self.hidden * (self.data.dim + 1) + self.data.n_classes * (self.hidden + 1)

    @property
    def euler_characteristic(self) -> int | None:
        """``Σ (-1)^index`` of all stationary points: 1 if ``λ > 0``, where the energy confines."""
        return 1 if self.l2 > 0 else None

    def random_state(self, rng: np.random.Generator) -> Vector:
        """Return normally distributed parameters, shape ``(n_dof,)``."""
        check_generator(rng)
        return rng.standard_normal(self.n_dof)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``E`` and its gradient, shape ``(n_dof,)``."""
        w2, w1 = self.layers(x)
        h, logp = self._forward(w2, w1)
        energy = -float((self._target * logp).sum()) / len(logp) + self.l2 * float(x @ x)
        delta = (np.exp(logp) - self._target) / len(logp)
        back = (delta @ w1[:, :-1]) * (1.0 - h * h)
        outer = np.hstack([delta.T @ h, delta.sum(axis=0)[:, None]])
        gradient = np.concatenate([(back.T @ self._inputs).ravel(), outer.ravel()])
        return energy, gradient + 2 * self.l2 * x

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` for ``v`` of shape ``(n_dof,)`` or ``(k, n_dof)``; exact.

        A few directions one by one (the R-operator), many through the dense Hessian.
        """
        if v.ndim == 2 and len(v) > _FEW:
            return np.asarray(v @ self.hessian(x))
        products = np.array([self._product(x, row) for row in np.atleast_2d(v)])
        return products.reshape(v.shape)

    def hessian(self, x: Vector) -> Vector:
        """Return the dense Hessian, ``(n_dof, n_dof)``.

        ``Jᵀ S J`` with the Jacobian ``J`` of the outputs and ``S = (diag p - p pᵀ)/P``, and the
        second derivatives of the outputs, which join parameters of one hidden unit only.
        """
        w2, w1 = self.layers(x)
        h, logp = self._forward(w2, w1)
        p = np.exp(logp)
        found = np.zeros((self.n_dof, self.n_dof))
        self._add_stiffness(found, w1[:, :-1], h, p)
        self._add_curvature(found, w1, h, (p - self._target) / len(p))
        found[np.diag_indices_from(found)] += 2 * self.l2
        return found

    def zero_modes(self, x: Vector) -> Vector:
        """Return the shifts of all outputs, ``(H + 1, n_dof)``; none if ``λ > 0``."""
        return np.zeros((0, self.n_dof)) if self.l2 > 0 else self._shifts(x)

    def harmonic_modes(self, x: Vector) -> Vector:
        """Return the shifts of all outputs if ``λ > 0``: the energy along them is a parabola."""
        return self._shifts(x) if self.l2 > 0 else np.zeros((0, self.n_dof))

    def _shifts(self, x: Vector) -> Vector:
        self.layers(x)
        modes = np.zeros((self.hidden + 1, self.n_dof))
        for k in range(self.hidden + 1):
            self.layers(modes[k])[1][:, k] = self.data.n_classes**-0.5
        return modes

    def outputs(self, x: Vector, data: Outcomes) -> Vector:
        """Return the probabilities of each class, ``(P, C)``, for any patterns."""
        w2, w1 = self.layers(x)
        y = np.tanh(data.x @ w2[:, :-1].T + w2[:, -1]) @ w1[:, :-1].T + w1[:, -1]
        return np.asarray(np.exp(_log_softmax(y)))

    def layers(self, x: Vector) -> tuple[Vector, Vector]:
        """Return views ``[W₂, b₂]`` and ``[W₁, b]`` of the parameters."""
        if x.shape != (self.n_dof,):
            raise ValueError(
                f"expected x of shape ({self.n_dof},), got {x.shape}: pass the x of this network"
            )
        middle = self.hidden * (self.data.dim + 1)
        return x[:middle].reshape(self.hidden, -1), x[middle:].reshape(-1, self.hidden + 1)

    def widened(self, x: Vector) -> tuple[Self, Vector]:
        """Return the network with one silent unit more, and the same function there.

        A stationary point stays one: the new unit sees no gradient while both its sides are zero.
        """
        w2, w1 = self.layers(x)
        silent_in, silent_out = np.zeros((1, w2.shape[1])), np.zeros((len(w1), 1))
        wider = np.hstack([w1[:, :-1], silent_out, w1[:, -1:]])
        state = np.concatenate([w2.ravel(), silent_in.ravel(), wider.ravel()])
        return type(self)(self.data, self.hidden + 1, self.l2), state

    def split(self, x: Vector, unit: int) -> tuple[Self, Vector]:
        """Return the network with one unit twice, each with half of its outgoing weights.

        The function is the same, and without weight decay a stationary point stays one.
        """
        w2, w1 = self.layers(x)
        halved = w1[:, :-1].copy()
        halved[:, unit] *= 0.5
        wider = np.hstack([halved, halved[:, [unit]], w1[:, -1:]])
        state = np.concatenate([w2.ravel(), w2[unit], wider.ravel()])
        return type(self)(self.data, self.hidden + 1, self.l2), state

    # The symmetry group: signs and order of the hidden units.

    @property
    def log_group_order(self) -> float:
        """Return ``ln(2^H H!)``."""
        return self.hidden * math.log(2) + math.lgamma(self.hidden + 1)

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield ``(name, x')`` for a random element of each symmetry."""
        units, bias = self._units(x)
        yield "order of hidden units", self._assembled(units[rng.permutation(self.hidden)], bias)
        signs = rng.choice([-1.0, 1.0], self.hidden)
        yield "signs of hidden units", self._assembled(units * signs[:, None], bias)

    def fingerprint(self, x: Vector) -> Vector:
        """Return the output biases and the sorted lengths of the hidden units' weights."""
        units, bias = self._units(x)
        return np.concatenate([bias, np.sort(np.linalg.norm(units, axis=1))])

    def aligned(self, x: Vector, reference: Vector) -> Vector:
        """Return the image of ``x`` nearest to ``reference``, exactly: an assignment of units."""
        (units, bias), (others, _) = self._units(x), self._units(reference)
        overlap = others @ units.T
        _, order = linear_sum_assignment(-np.abs(overlap))
        signs = np.where(overlap[np.arange(self.hidden), order] < 0, -1.0, 1.0)
        return self._assembled(units[order] * signs[:, None], bias)

    def same(self, x: Vector, other: Vector, tolerance: float = 1e-3) -> bool:
        """Tell whether every parameter agrees within ``tolerance`` in the nearest image."""
        return bool(np.abs(self.aligned(x, other) - other).max() < tolerance)

    def stabiliser_order(self, x: Vector) -> int:
        """Return how many sign flips and reorderings leave ``x`` as it is.

        Silent units may be flipped and exchanged, equal ones (up to a sign) exchanged.
        """
        units, _ = self._units(x)
        silent = np.linalg.norm(units, axis=1) < 1e-3
        order: int = math.factorial(int(silent.sum())) * 2 ** int(silent.sum())
        left = list(units[~silent])
        while left:
            first = left.pop()
            alike = [u for u in left if min(abs(u - first).max(), abs(u + first).max()) < 1e-3]
            left = [u for u in left if all(u is not other for other in alike)]
            order *= math.factorial(len(alike) + 1)
        return order

    def _units(self, x: Vector) -> tuple[Vector, Vector]:
        """Return each unit's weights, in and out, ``(H, d + 1 + C)``, and the output biases."""
        w2, w1 = self.layers(x)
        return np.hstack([w2, w1[:, :-1].T]), w1[:, -1]

    def _assembled(self, units: Vector, bias: Vector) -> Vector:
        inputs = self.data.dim + 1
        outer = np.hstack([units[:, inputs:].T, bias[:, None]])
        return np.concatenate([units[:, :inputs].ravel(), outer.ravel()])

    def _forward(self, w2: Vector, w1: Vector) -> tuple[Vector, Vector]:
        """Return ``tanh z``, ``(P, H)``, and ``ln p``, ``(P, C)``."""
        h = np.tanh(self._inputs @ w2.T)
        logp = _log_softmax(h @ w1[:, :-1].T + w1[:, -1])
        if not np.isfinite(logp).all():
            raise ValueError("expected finite parameters, got NaN or inf, or an overflow")
        return h, logp

    def _add_stiffness(self, found: Vector, w1: Vector, h: Vector, p: Vector) -> None:
        """Add ``Σ_p Jᵀ S J``, block by block: most of ``J`` is zero."""
        count, classes = p.shape
        middle, wide = self.hidden * (self.data.dim + 1), self.hidden + 1
        slopes = (1.0 - h * h)[:, :, None] * self._inputs[:, None, :]
        # S = Σ_c p_c (e_c - p)(e_c - p)ᵀ / P: rows of the inner block are those of a square root.
        centred = w1 - (p @ w1)[:, None, :]
        root = (np.sqrt(p / count)[:, :, None] * centred)[..., None] * slopes[:, None]
        flat = root.reshape(count * classes, middle)
        found[:middle, :middle] += flat.T @ flat
        features = np.hstack([h, np.ones((count, 1))])
        for c in range(classes):
            rows = slice(middle + c * wide, middle + (c + 1) * wide)
            weights = (p[:, c, None] / count) * centred[:, c]
            cross = features.T @ (weights[:, :, None] * slopes).reshape(count, middle)
            found[rows, :middle] += cross
            found[:middle, rows] += cross.T
            for other in range(classes):
                columns = slice(middle + other * wide, middle + (other + 1) * wide)
                weight = p[:, c] * ((c == other) - p[:, other]) / count
                found[rows, columns] += (features * weight[:, None]).T @ features

    def _add_curvature(self, found: Vector, w1: Vector, h: Vector, delta: Vector) -> None:
        """Add ``Σ_p Σ_c δ_c ∇²y_c``: input with input, and input with output, of each unit."""
        width, slope = self.data.dim + 1, 1.0 - h * h
        back = (delta @ w1[:, :-1]) * (-2.0 * h * slope)
        middle = self.hidden * width
        for j in range(self.hidden):
            rows = slice(j * width, (j + 1) * width)
            columns = slice(middle + j, None, self.hidden + 1)
            found[rows, rows] += (self._inputs * back[:, j, None]).T @ self._inputs
            cross = (self._inputs * slope[:, j, None]).T @ delta
            found[rows, columns] += cross
            found[columns, rows] += cross.T

    def _product(self, x: Vector, v: Vector) -> Vector:
        """Return ``H v`` by the R-operator."""
        (w2, w1), (v2, v1) = self.layers(x), self.layers(v)
        h, logp = self._forward(w2, w1)
        p, slope = np.exp(logp), 1.0 - h * h
        delta = (p - self._target) / len(p)
        rh = slope * (self._inputs @ v2.T)
        ry = rh @ w1[:, :-1].T + h @ v1[:, :-1].T + v1[:, -1]
        rdelta = p * (ry - (p * ry).sum(axis=1, keepdims=True)) / len(p)
        rback = slope * (rdelta @ w1[:, :-1] + delta @ v1[:, :-1])
        rback -= 2.0 * h * rh * (delta @ w1[:, :-1])
        outer = np.hstack([rdelta.T @ h + delta.T @ rh, rdelta.sum(axis=0)[:, None]])
        found = np.concatenate([(rback.T @ self._inputs).ravel(), outer.ravel()])
        return np.asarray(found + 2 * self.l2 * v)


def _log_softmax(y: Vector) -> Vector:
    shifted = y - y.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
