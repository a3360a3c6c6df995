"""Random networks, patterns and states for hypothesis. Never imported by the library itself."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from networks.data.patterns import random_patterns
from networks.models.activations import ACTIVATIONS
from networks.models.fixed_norm import SphericalNetwork
from networks.models.hinge import HingeNetwork
from networks.models.mlp import Mlp


@st.composite
def hinge_networks(
    draw: st.DrawFn, max_width: int = 5, max_depth: int = 3
) -> tuple[HingeNetwork, NDArray[np.float64]]:
    """Draw a small network of any activation, random patterns, and a state off its kinks."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mlp = Mlp(
        input_dim=draw(st.integers(1, max_width)),
        width=draw(st.integers(1, max_width)),
        depth=draw(st.integers(1, max_depth)),
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))),
    )
    patterns = random_patterns(draw(st.integers(2, 20)), mlp.input_dim, rng)
    problem = HingeNetwork(mlp, patterns, margin=draw(st.floats(0.5, 2.0)))
    return problem, mlp.init(rng) + 0.3 * rng.standard_normal(mlp.n_dof)


@st.composite
def spherical_networks(draw: st.DrawFn) -> tuple[SphericalNetwork, NDArray[np.float64]]:
    """Draw the same on a sphere, and a state off it."""
    problem, x = draw(hinge_networks())
    return SphericalNetwork(problem, radius=draw(st.floats(0.5, 5.0))), x
