"""Many packings in one call are the packings one by one."""

import numpy as np
import pytest

from particles import Discs, decompress, ensemble


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_no_bit(workers):
    packing = Discs.bidisperse(48, phi=0.9)
    together = ensemble(packing, range(4), 1e-4, workers=workers)
    for seed, end in enumerate(together):
        start = packing.random_state(np.random.default_rng(seed))
        alone = decompress(packing, start, 1e-4)
        assert np.array_equal(end.x, alone.x)
        assert end.phi == alone.phi


def test_no_worker_is_refused():
    with pytest.raises(ValueError, match="whole number workers >= 1, got 0"):
        ensemble(Discs.bidisperse(8, phi=0.9), range(2), workers=0)
