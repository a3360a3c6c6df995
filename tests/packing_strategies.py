"""Random packings and states for hypothesis: few bodies, in boxes so small that images interact."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from particles.packings.breathing import Breathing
from particles.packings.discs import Discs
from particles.packings.ellipses import Ellipses
from particles.packings.ellipsoids import Ellipsoids

Vector = NDArray[np.float64]


def _box(rng: np.random.Generator, dim: int, volume: float) -> Vector:
    """Draw the sides of a box that is up to twice as long one way as the other."""
    sides = rng.uniform(1.0, 2.0, dim)
    return np.asarray(sides * (volume / sides.prod()) ** (1.0 / dim))


@st.composite
def discs(draw: st.DrawFn, max_n: int = 40) -> tuple[Discs, Vector]:
    """Draw 1 to ``max_n`` discs or spheres of any sizes, and a random state of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, dim = draw(st.integers(1, max_n)), draw(st.sampled_from([2, 3]))
    diameters = rng.uniform(1.0, draw(st.floats(1.0, 3.0)), n)
    volume = (np.pi / (2 * dim) * diameters**dim).sum() / draw(st.floats(0.1, 1.5))
    problem = Discs(diameters, _box(rng, dim, volume))
    return problem, problem.random_state(rng)


@st.composite
def breathing(draw: st.DrawFn, max_n: int = 40) -> tuple[Breathing, Vector]:
    """Draw discs or spheres with radii of any stiffness, and a random state with strains."""
    discs_, centres = draw(discs(max_n))
    problem = Breathing.of(discs_, 10.0 ** draw(st.floats(-3.0, 4.0)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bodies = problem.state(centres).reshape(problem.n_bodies, -1)
    bodies[:, -1] = rng.uniform(-0.3, 0.2, problem.n_bodies)
    return problem, bodies.ravel()


@st.composite
def ellipses(draw: st.DrawFn, max_n: int = 40, max_aspect: float = 6.0) -> tuple[Ellipses, Vector]:
    """Draw 1 to ``max_n`` ellipses of any sizes and aspects, some round, and a random state."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_n))
    diameters = rng.uniform(1.0, draw(st.floats(1.0, 2.0)), n)
    aspect = rng.uniform(1.0, draw(st.floats(1.0, max_aspect)), n)
    aspect[rng.random(n) < draw(st.sampled_from([0.0, 0.3]))] = 1.0
    area = (np.pi / 4.0 * aspect * diameters**2).sum() / draw(st.floats(0.1, 1.5))
    problem = Ellipses(diameters, aspect, _box(rng, 2, area))
    return problem, problem.random_state(rng)


@st.composite
def ellipsoids(
    draw: st.DrawFn, max_n: int = 30, max_axis: float = 5.0
) -> tuple[Ellipsoids, Vector]:
    """Draw 1 to ``max_n`` ellipsoids of any sizes, some spheroids and spheres, and a state."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_n))
    diameters = rng.uniform(1.0, draw(st.floats(1.0, 2.0)), n)
    axes = rng.uniform(1.0, draw(st.floats(1.0, max_axis)), (n, 3))
    kind = rng.random(n)
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    axes[kind < share, 1] = axes[kind < share, 0]
    axes[kind < 0.3 * share] = 1.0
    # Axes that differ by rounding alone may be equal by chance, in an order that is no spheroid's.
    axes[(axes[:, 2] == axes[:, 0]) | (axes[:, 2] == axes[:, 1])] = 1.0
    volume = (np.pi / 6.0 * axes.prod(axis=1) * diameters**3).sum() / draw(st.floats(0.1, 1.2))
    problem = Ellipsoids(diameters, axes, _box(rng, 3, volume))
    return problem, problem.random_state(rng)
