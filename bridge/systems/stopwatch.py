"""The time of a run, without what was compiled for the first time meanwhile."""

import sys
import time

# Asked only where something has imported them.
_KERNELS, _TRAINING = "particles.kernels._jit", "networks.training.latest"


class Stopwatch:
    """Starts when it is made.

    >>> Stopwatch().seconds < 1.0
    True
    """

    def __init__(self) -> None:
        self._started, self._compiled = time.perf_counter(), compiled()

    @property
    def seconds(self) -> float:
        """Seconds since the start, those of compilation left out."""
        return time.perf_counter() - self._started - (compiled() - self._compiled)


def compiled() -> float:
    """Return how many seconds this process has spent on compiling kernels."""
    kernels = sys.modules.get(_KERNELS)
    return 0.0 if kernels is None else float(kernels.COMPILATION.seconds)


def doing() -> str:
    """Return where the training of a network is, if this process has one."""
    training = sys.modules.get(_TRAINING)
    return "" if training is None else str(training.LATEST.text)
