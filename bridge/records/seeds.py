"""Seeds of runs: entropy, and then the spawn key, as `numpy.random.SeedSequence` takes them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def sequence(seed: tuple[int, ...]) -> "np.random.SeedSequence":
    """Return the sequence of a seed ``(entropy, *spawn key)``."""
    import numpy as np

    entropy, *spawned = seed
    return np.random.SeedSequence(entropy, spawn_key=tuple(spawned))


def generator(seed: tuple[int, ...]) -> "np.random.Generator":
    """Return the random numbers of a run: those of one seed never depend on other runs.

    >>> generator((0, 3)).integers(100) == generator((0, 3)).integers(100)
    np.True_
    """
    import numpy as np

    return np.random.default_rng(sequence(seed))
