"""Networks of one input and a few units, written down layer by layer, and points on their kinks."""

import numpy as np
import torch

from networks import HingeNetwork, Mlp, Patterns
from networks.training.kinks import Kinks, KinkState


def network(x, y, layers, margin=1.0, activation="relu"):
    """Return a network of one input with these layers, ``(fan_out, fan_in + 1)``, and its state."""
    layers = [np.atleast_2d(np.array(layer, dtype=float)) for layer in layers]
    patterns = Patterns(np.array(x, dtype=float)[:, None], np.array(y, dtype=float))
    mlp = Mlp(1, len(layers[0]), len(layers) - 1, activation)
    problem = HingeNetwork(mlp, patterns, margin)
    return problem, np.concatenate([layer.ravel() for layer in layers])


def point(problem, x, masks=None, radius=None):
    """Return the point with the given ``{(layer, pattern, unit): mask}`` held."""
    kinks = Kinks.none(problem)
    for pair, mask in (masks or {}).items():
        kinks.held[pair], kinks.masks[pair] = True, mask
    return KinkState(problem, torch.tensor(x), kinks, radius)


def idle_concave():
    """The pattern at the kink wants more, the other, which balances it, is far on the flat side."""
    return network([0, -1], [1, -1], [[1, 0], [1, 0]])
