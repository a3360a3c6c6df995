"""Random perceptrons and states for hypothesis."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from particles.perceptron.perceptron import Perceptron


@st.composite
def perceptrons(draw: st.DrawFn, max_n: int = 12) -> tuple[Perceptron, NDArray[np.float64]]:
    """Draw a perceptron of 2 to ``max_n`` components and a point on or off its sphere."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, max_n))
    alpha = draw(st.floats(0.6, 5.0))
    problem = Perceptron.random(n, alpha, draw(st.floats(-1.5, 1.5)), rng)
    return problem, problem.random_state(rng) * draw(st.floats(0.1, 10.0))
