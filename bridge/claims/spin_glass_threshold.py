"""End energies of plain descent: the spherical spin glass against digits, over sizes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bridge.landscape.end_energies import Ends, end_energies
from bridge.records.seeds import generator

if TYPE_CHECKING:
    from bridge.protocols import Landscape, Vector


def spin_glass_ends(sizes: Sequence[int], samples: int, seed: int, p: int = 3) -> list[Ends]:
    """Return end energies per spin of a p-spin glass for each number of spins.

    For large systems descent from a random state stops at the threshold ``-2√((p-1)/p)``, above
    the ground state (Cugliandolo, Kurchan, Phys. Rev. Lett. 71, 173 (1993)).
    """
    from particles.landscapes.spin_glass import SphericalSpinGlass

    found = []
    for size in sizes:

        def draw(rng: np.random.Generator, n: int = size) -> "tuple[Landscape, Vector]":
            glass = SphericalSpinGlass.random(n, p, rng)
            return glass, glass.random_state(rng)

        threshold = -2.0 * np.sqrt((p - 1) / p)
        rng = generator((seed, 0, size))
        found.append(end_energies(draw, samples, rng, threshold=float(threshold)))
    return found


def digit_ends(
    hidden: Sequence[int], samples: int, seed: int, *, l2: float = 1e-3, patterns: int = 300
) -> list[Ends]:
    """Return end energies of a classifier of digits for each number of hidden units.

    The data stay the same and the start is random: no threshold is known, but the spread of the
    ends shrinks with size as that of the glass does.
    """
    from networks.data.outcomes import digit_outcomes
    from networks.models.classifier import Classifier

    found = []
    for width in hidden:
        rng = generator((seed, 1, width))
        data, _ = digit_outcomes().shuffled(np.random.default_rng(seed)).split(patterns)
        net = Classifier(data, width, l2)

        def draw(rng: np.random.Generator, net: Classifier = net) -> "tuple[Landscape, Vector]":
            return net, net.random_state(rng)

        found.append(end_energies(draw, samples, rng, per_variable=False))
    return found
