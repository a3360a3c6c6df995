"""A network without kinks: each unit keeps one straight piece of its activation."""

from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor

from networks.models import backprop
from networks.models.hinge import HingeNetwork, Indices, Vector


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkBranch(HingeNetwork):
    """A network whose units are straight, ``a = σ(c) + s (z - c)`` for each pattern and unit.

    ``slopes`` and ``offsets`` hold ``s`` and ``σ(c) - s c``, ``(depth, P, width)``. Where nothing
    is held it is the network in the region of the state that it was cut at; at a kink that is
    held the slope is between those of its two sides. Its gaps are polynomials of the weights.

    Examples
    --------
    The tangent of a ReLU that is half open at its kink has half its slope:

    >>> from networks import Mlp, Patterns
    >>> net = HingeNetwork(Mlp(1, 1, 1), Patterns(np.array([[2.0], [1.0]]), np.array([1.0, -1.0])))
    >>> x = np.array([0.0, 0.0, 1.0, 0.0])  # z = 0 x + 0, f = 1 a + 0
    >>> net.branch(x, np.array([0]), np.array([0.5])).gap_jacobian(x, np.array([0]))
    array([[-1. , -0.5, -0. , -1. ]])
    """

    slopes: Tensor = field(repr=False)
    offsets: Tensor = field(repr=False)

    @classmethod
    def of(cls, network: HingeNetwork, x: Vector, held: Indices, masks: Vector) -> Self:
        """Return the branch of ``network`` at ``x`` with ``masks`` at the kinks ``held``."""
        sigma = network.mlp.sigma
        state = network._forward(network._tensor(x))
        z, slopes = torch.stack(state.preactivations), torch.stack(state.slopes)
        offsets = torch.stack([a[:, :-1] for a in state.inputs[1:]]) - slopes * z
        table = z.new_tensor([(kink.position, kink.below, kink.jump) for kink in sigma.kinks])
        place, which = (torch.as_tensor(a) for a in np.divmod(held, len(sigma.kinks)))
        position, below, jump = table[which.to(z.device)].unbind(-1)
        steepness = below + torch.as_tensor(masks, device=z.device) * jump
        slopes.view(-1)[place] = steepness
        offsets.view(-1)[place] = sigma.value(position) - steepness * position
        shared = {f.name: getattr(network, f.name) for f in fields(HingeNetwork) if f.init}
        return cls(**shared, slopes=slopes, offsets=offsets)

    def branch(self, x: Vector, held: Indices, masks: Vector) -> HingeNetwork:
        """Return a branch of the network that this is one of."""
        shared = {f.name: getattr(self, f.name) for f in fields(HingeNetwork) if f.init}
        return HingeNetwork(**shared).branch(x, held, masks)

    def kink_couplings(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z_j/∂max(z_k, 0)`` of some kinks, ``(len(kinks), len(kinks))``.

        It vanishes but where ``j`` lies in a layer above that of ``k``, of the same pattern.
        """
        layers, patterns, units, which = np.unravel_index(kinks, self._kink_shape)
        jumps = np.array([kink.jump for kink in self.mlp.sigma.kinks])[which]
        ws = [layer.cpu().numpy() for layer in backprop.layers(self.mlp, self._tensor(x))]
        slopes = self.slopes.cpu().numpy()
        found = np.zeros((len(kinks), len(kinks)))
        for top in range(1, self.mlp.depth):
            upper = np.flatnonzero(layers == top)
            signals = np.eye(self.mlp.width)[units[upper]]
            for layer in range(top - 1, -1, -1):
                into = signals @ ws[layer + 1][:, :-1]
                lower = np.flatnonzero(layers == layer)
                alike = patterns[upper][:, None] == patterns[lower]
                found[np.ix_(upper, lower)] = into[:, units[lower]] * alike * jumps[lower]
                signals = into * slopes[layer, patterns[upper]]
        return found

    def _output(self, w: Tensor) -> Tensor:
        return self._forward(w).output

    def _forward(self, w: Tensor, index: Tensor | None = None) -> backprop.Forward:
        rows = slice(None) if index is None else index
        pieces = (self.slopes[:, rows], self.offsets[:, rows])
        return backprop.straight_forward(self.mlp, w, self.inputs[rows], *pieces)
