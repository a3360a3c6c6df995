"""The images of a network of linear layers under orders and signs of its hidden units."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from networks.models.linear_layers import LinearLayers

if TYPE_CHECKING:
    from networks.models.module import ModuleProblem

Vector: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
Action: TypeAlias = tuple[Places, Vector]  # which unit comes in each place, and its sign

_SAME = 1e-9  # outputs of images, relative to the largest
_EQUAL = 1e-3  # weights of units that are one, in the units of x
_STATES = 2  # random ones, at which an image is tried


@dataclass(frozen=True, eq=False)
class UnitGroup:
    """The group that reorders the units of each hidden layer, and changes their signs if it may.

    Its order is ``Π_l h_l!``, times ``2^h_l`` for each layer whose function is odd or even. Of the
    hyperbolic tangent there is no other discrete symmetry at almost every state.

    Attributes
    ----------
    weights, biases
        The places of the parameters of each layer, ``(h_l, h_{l-1})`` and ``(h_l,)``; a bias that
        is none is empty.
    parities
        -1 for an odd function of a hidden layer, 1 for an even one, 0 for another.

    References
    ----------
    F. Albertini, E. D. Sontag, Neural Networks 6, 975 (1993).
    """

    weights: tuple[Places, ...]
    biases: tuple[Places, ...]
    parities: tuple[int, ...]

    @classmethod
    def of(cls, problem: "ModuleProblem") -> Self | None:
        """Return the group of a chain of linear layers; None of any other module.

        Nor of one whose units may be mixed, so that orders and signs are not all that is discrete.
        """
        if any((generator.sources >= 0).any() for generator in problem.generators):
            return None
        w = torch.tensor(problem.start, device=problem.inputs.device)
        found = LinearLayers.of(problem.module, lambda: problem.passes.outputs(w, problem.inputs))
        if found is None:
            return None
        weights, biases, start = [], [], 0
        for layer in found.layers:
            u, d = layer.weight.shape
            weights.append(start + np.arange(u * d).reshape(u, d))
            start += u * d
            biases.append(start + np.arange(0 if layer.bias is None else u))
            start += len(biases[-1])
        if any(b.shape[1] != a.shape[0] for a, b in pairwise(weights)):
            return None
        group = cls(tuple(weights), tuple(biases), (0,) * (len(weights) - 1))
        parities: list[int] = []
        for number in range(len(weights) - 1):
            parity = group._parity(problem, number)
            if parity is None:
                return None
            parities.append(parity)
        return cls(group.weights, group.biases, tuple(parities))

    @property
    def log_order(self) -> float:
        """Logarithm of the number of elements."""
        hidden = [len(w) for w in self.weights[:-1]]
        signs = sum(h for h, p in zip(hidden, self.parities, strict=True) if p)
        return signs * math.log(2) + sum(math.lgamma(h + 1) for h in hidden)

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield the state with the units of each layer in a random order, with random signs."""
        for layer, parity in enumerate(self.parities):
            h = len(self.weights[layer])
            signs = rng.choice([-1.0, 1.0], h) if parity else np.ones(h)
            action = rng.permutation(h), signs
            yield f"order and signs of layer {layer + 1}", self._image(x, layer, action, parity)

    def stabiliser_order(self, x: Vector) -> int:
        """Return how many elements leave ``x`` as it is.

        Silent units, without weights in or out, go to any other, with any sign. The others are
        followed from layer to layer: what changes the order of one layer has to be undone in the
        next by units whose weights are equal then.
        """
        order, kept = 1, [np.arange(self.weights[0].shape[1])]
        for layer, parity in enumerate(self.parities):
            into, out = self._into(x, layer), x[self.weights[layer + 1]]
            silent = np.maximum(np.abs(into).max(axis=1), np.abs(out).max(axis=0)) < _EQUAL
            count = int(silent.sum())
            order *= math.factorial(count) * (2**count if parity else 1)
            kept.append(np.flatnonzero(~silent))
        actions: list[Action] = [(np.arange(len(kept[0])), np.ones(len(kept[0])))]
        for layer, parity in enumerate(self.parities):
            ours, below = kept[layer + 1], kept[layer]
            own, bias = x[self.weights[layer][np.ix_(ours, below)]], x[self.biases[layer]]
            own = np.concatenate([own, bias[ours][:, None]], axis=1) if len(bias) else own
            # Outputs stay in their order, so that the weights out of the last layer have to agree.
            out = x[self.weights[-1][:, ours]].T if layer == len(self.parities) - 1 else own[:, :0]
            actions = [
                found
                for action in actions
                for found in _matches(own, _moved(own, action), out, parity)
            ]
        return order * len(actions)

    def _into(self, x: Vector, layer: int) -> Vector:
        """Return what each unit of a layer is made of: ``(h, d)`` or ``(h, d + 1)``."""
        weights, bias = x[self.weights[layer]], x[self.biases[layer]]
        return np.concatenate([weights, bias[:, None]], axis=1) if len(bias) else weights

    def _image(self, x: Vector, layer: int, action: Action, parity: int) -> Vector:
        found, (order, signs) = x.copy(), action
        found[self.weights[layer]] = signs[:, None] * x[self.weights[layer]][order]
        if len(self.biases[layer]):
            found[self.biases[layer]] = signs * x[self.biases[layer]][order]
        out = x[self.weights[layer + 1]][:, order]
        found[self.weights[layer + 1]] = out * signs if parity < 0 else out
        return found

    def _parity(self, problem: "ModuleProblem", layer: int) -> int | None:
        """Return that of a layer's function; None if its units may not change places."""
        rng, h = np.random.default_rng(0), len(self.weights[layer])
        turned, kept = np.roll(np.arange(h), 1), np.arange(h)
        signs = np.where(kept == 0, -1.0, 1.0)
        trials = {0: (turned, np.ones(h)), -1: (kept, signs), 1: (kept, signs)}
        allowed = {}
        for parity, action in trials.items():
            states = rng.standard_normal((_STATES, problem.n_dof))
            allowed[parity] = all(
                _alike(problem, x, self._image(x, layer, action, parity)) for x in states
            )
        if not allowed[0]:
            return None
        return -1 if allowed[-1] else int(allowed[1])


def _alike(problem: "ModuleProblem", x: Vector, other: Vector) -> bool:
    with torch.no_grad():
        one, two = (
            problem.passes.outputs(torch.tensor(v, device=problem.inputs.device), problem.inputs)
            for v in (x, other)
        )
    return float((one - two).abs().max()) <= _SAME * float(one.abs().max())


def _moved(own: Vector, action: Action) -> Vector:
    """Return weights into units, ``(h, d)`` or ``(h, d + 1)``, after the layer below has moved."""
    order, signs = action
    below = len(order)
    return np.concatenate([own[:, order] * signs, own[:, below:]], axis=1)


def _matches(own: Vector, moved: Vector, out: Vector, parity: int) -> list[Action]:
    """Return all orders and signs of units that turn ``moved`` into ``own``, and keep ``out``."""
    h = len(own)
    found: list[tuple[tuple[int, ...], tuple[float, ...]]] = [((), ())]
    for unit in range(h):
        options = [
            (other, sign)
            for other in range(h)
            for sign in ((1.0, -1.0) if parity else (1.0,))
            if _equal(sign * moved[other], own[unit])
            and _equal((sign if parity < 0 else 1.0) * out[other], out[unit])
        ]
        found = [
            ((*order, other), (*signs, sign))
            for order, signs in found
            for other, sign in options
            if other not in order
        ]
    felt = 1.0 if parity < 0 else 0.0  # an even function hides the sign from the next layer
    return [(np.array(o, dtype=np.intp), np.array(s) ** felt) for o, s in found]


def _equal(one: Vector, other: Vector) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) < _EQUAL)
