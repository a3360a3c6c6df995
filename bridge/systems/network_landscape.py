"""Small networks with hinge loss as landscapes of minima and saddles."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case, Pictured
from bridge.systems.constraint_case import Constraints, constraint_case
from bridge.systems.network import ACTIVATION_HELP
from bridge.systems.ranges import option

if TYPE_CHECKING:
    import numpy as np

    from networks import HingeNetwork


@dataclass(frozen=True)
class NetworkLandscape:
    """A small network with hinge loss, more patterns than it can fit, and weight decay."""

    kind: ClassVar[str] = "network"
    rank: ClassVar[int] = 18
    small: ClassVar[Mapping[str, Any]] = {"width": 2, "input_dim": 2}

    depth: int = option(1, "Number of hidden layers.", 1, 5)
    width: int = option(3, "Units in each hidden layer.", 1, 30)
    input_dim: int = option(3, "Components of a pattern.", 1, 100)
    load: float = option(8.0, "Patterns per weight, P/N.", 1e-6, 100)
    activation: str = option("tanh", ACTIVATION_HELP)
    l2: float = option(1e-2, "Weight decay that keeps the minima from running to infinity.", 0, 1e6)

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the network on random patterns; each minimum has its violated patterns."""
        from bridge.landscape.confine import Confined

        network = self._network(rng)
        case = constraint_case(network, 0.5, start=network.mlp.init)
        violated = Constraints(network).violated
        return replace(case, problem=Confined(network, self.l2), marks=violated)

    def pictured(self, rng: "np.random.Generator") -> Pictured:
        """Return what the network says to each pattern at a minimum."""
        network = self._network(rng)
        labels = network.patterns.y
        return Pictured("outputs", lambda x: labels * (network.margin - network.gaps(x)), labels)

    def _network(self, rng: "np.random.Generator") -> "HingeNetwork":
        from networks import HingeNetwork, Mlp, random_patterns

        mlp = Mlp(self.input_dim, self.width, self.depth, self.activation)
        patterns = random_patterns(round(self.load * mlp.n_weights), self.input_dim, rng)
        return HingeNetwork(mlp, patterns)
